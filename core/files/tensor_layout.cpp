#include "core/files/tensor_layout.h"

#include <algorithm>

#include "base/checked.h"
#include "core/files/error_text.h"

namespace ingle::core {

std::optional<uint64_t> checked_elements(std::span<const uint64_t> dims) {
  uint64_t elements = 1;
  for (const uint64_t dim : dims) {
    const auto product = base::checked_mul(elements, dim);
    if (!product || *product == 0) return std::nullopt;
    elements = *product;
  }
  return elements;
}

base::Result<base::MappedFile> zeros_of(uint64_t bytes, std::string_view file) {
  auto zeros = base::MappedFile::zeros(bytes);
  if (!zeros.ok()) return base::Error{zeros.error().code, std::string(file) + ": " + zeros.error().message};
  return zeros;
}

base::Status check_vectors(std::span<const Tensor> tensors, std::string_view file) {
  constexpr uint64_t kMostBytes = uint64_t{256} << 20;  // the largest models have some 20 MiB
  uint64_t bytes = 0;
  for (const Tensor& tensor : tensors) {
    if (tensor.rows() > 1) continue;
    const auto size = base::checked_mul<uint64_t>(tensor.columns(), sizeof(float));
    const auto sum = size ? base::checked_add(bytes, *size) : std::nullopt;
    if (!sum || *sum > kMostBytes)
      return base::Error{base::ErrorCode::limit_exceeded,
                         std::string(file) + ": its vectors are said to take more than 256 MiB"};
    bytes = *sum;
  }
  return {};
}

base::Status check_no_overlap(std::vector<TensorRange>& ranges, std::string_view file) {
  std::sort(ranges.begin(), ranges.end(), [](const TensorRange& a, const TensorRange& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  for (size_t i = 1; i < ranges.size(); ++i) {
    const TensorRange& before = ranges[i - 1];
    const TensorRange& after = ranges[i];
    if (after.begin < before.end) {
      return base::Error{base::ErrorCode::corrupt, std::string(file) + ": the data of tensors " + quote(before.name) +
                                                       " and " + quote(after.name) + " overlap at byte " +
                                                       std::to_string(after.begin)};
    }
  }
  return {};
}

}  // namespace ingle::core
