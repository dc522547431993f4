// Timings of a device's kernels put together by what they do, over all layers.
#pragma once

#include <vector>

#include "core/backends/cpu/cpu_device.h"
#include "core/engine/engine.h"

namespace ingle::core {

/// By falling time. `graph` is what the device's program was compiled from.
std::vector<OperationProfile> profile_of(const Graph& graph, const CpuDevice& device);

}  // namespace ingle::core
