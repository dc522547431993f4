#include "core/anatomy/statistics.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace ingle::core {
namespace {

/// Calls visit(floats) for all of a tensor's numbers. Error: cancelled.
template <typename Visit>
base::Status for_each_part(const Tensor& tensor, const AnatomyProgress& progress, double from, double to, Visit visit) {
  constexpr uint64_t kPart = uint64_t{1} << 16;  // elements: a whole number of all formats' blocks
  const QuantFormat& format = *tensor.format;
  const uint64_t elements = tensor.elements();
  std::vector<float> values(std::min(kPart, elements));
  for (uint64_t begin = 0; begin < elements; begin += kPart) {
    const uint64_t count = std::min(kPart, elements - begin);
    format.decode(tensor.data.data() + format.bytes(begin), values.data(), count / format.block_elements);
    visit(std::span<const float>(values).first(count));
    const double done = static_cast<double>(begin + count) / static_cast<double>(elements);
    if (progress && !progress(from + (to - from) * done))
      return base::Error{base::ErrorCode::cancelled, "looking at " + tensor.name + " was stopped"};
  }
  return {};
}

}  // namespace

base::Result<TensorStatistics> tensor_statistics(const Tensor& tensor, const AnatomyProgress& progress) {
  TensorStatistics found{.elements = tensor.elements()};
  // Differences from the first number, whose squares lose nothing where the mean is large.
  double origin = 0, sum = 0, squares = 0;
  INGLE_CHECK(for_each_part(tensor, progress, 0, 0.5, [&](std::span<const float> values) {
    for (const float value : values) {
      if (!std::isfinite(value)) continue;
      if (found.finite == 0) {
        origin = value;
        found.min = found.max = value;
      }
      ++found.finite;
      found.zeros += value == 0.0f;
      found.min = std::min(found.min, value);
      found.max = std::max(found.max, value);
      const double difference = value - origin;
      sum += difference;
      squares += difference * difference;
    }
  }));
  if (found.finite == 0) return found;
  const auto count = static_cast<double>(found.finite);
  found.mean = origin + sum / count;
  found.deviation = std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)));
  constexpr size_t kSteps = std::tuple_size_v<decltype(found.histogram)>;
  const double range = double{found.max} - found.min;
  const double scale = range > 0 ? kSteps / range : 0;
  INGLE_CHECK(for_each_part(tensor, progress, 0.5, 1, [&](std::span<const float> values) {
    for (const float value : values)
      if (std::isfinite(value))
        ++found.histogram[std::min(static_cast<size_t>((double{value} - found.min) * scale), kSteps - 1)];
  }));
  return found;
}

base::Json to_json(const Tensor& tensor, const TensorStatistics& statistics) {
  return {{"tensor", tensor.name},
          {"format", tensor.format->name},
          {"elements", statistics.elements},
          {"finite", statistics.finite},
          {"zeros", statistics.zeros},
          {"min", statistics.min},
          {"max", statistics.max},
          {"mean", statistics.mean},
          {"deviation", statistics.deviation},
          {"histogram", statistics.histogram}};
}

}  // namespace ingle::core
