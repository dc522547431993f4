// What the numbers of a tensor are like, decoded by its format's scalar reference.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "base/json.h"
#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// Told how much is done, 0 to 1; false: stop.
using AnatomyProgress = std::function<bool(double done)>;

/// Infinities and NaNs only count as what is not finite.
struct TensorStatistics {
  uint64_t elements = 0, finite = 0, zeros = 0;
  float min = 0, max = 0;
  double mean = 0, deviation = 0;         ///< of the population
  std::array<uint64_t, 128> histogram{};  ///< in equal steps from min to max; both ends belong to it
};

/// Error: cancelled.
base::Result<TensorStatistics> tensor_statistics(const Tensor& tensor, const AnatomyProgress& progress = {});

base::Json to_json(const Tensor& tensor, const TensorStatistics& statistics);

}  // namespace ingle::core
