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
