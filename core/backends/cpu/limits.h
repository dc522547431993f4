// What the machine could do at most, measured beside what the engine does: the same threads, instruction set and
// weights.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "core/backends/cpu/workers.h"
#include "core/hal/device.h"
#include "core/hal/machine_limits.h"
#include "core/kernels/limits.h"

namespace ingle::core {

/// Takes about a second. `weights`: what is read per token. Error: out_of_memory.
base::Result<MachineLimits> measure_limits(Workers& workers, const LimitLoops& loops, HardwareOps& device,
                                           std::span<const std::span<const std::byte>> weights, uint64_t large_bytes);

}  // namespace ingle::core
