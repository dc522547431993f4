// The clock that durations are measured with.
#pragma once

#include <cstdint>

namespace ingle::base {

/// Nanoseconds of the clock that all processes share and nobody sets (CLOCK_MONOTONIC).
int64_t monotonic_ns();

}  // namespace ingle::base
