// How much of the machine a scheduler may take. Whoever watches what others need sets it; no text depends on it.
#pragma once

#include <cstdint>

namespace ingle::core {

/// Why it is less than all.
enum PaceReason : uint8_t {
  pace_others = 1,   ///< other programs need cores
  pace_heat = 2,     ///< the device is hot
  pace_battery = 4,  ///< its battery is nearly empty
  pace_quota = 8,    ///< the control group's time was used up
};

/// Each limit holds beside those of EngineOptions and SchedulerOptions: the lesser one counts.
struct Pace {
  static constexpr uint32_t kAny = 0xffffffff;

  uint32_t threads = kAny;      ///< that compute; at least one does
  uint32_t max_running = kAny;  ///< sequences that are begun; those that run already go on
  double pass_ms = 1e9;         ///< about what a pass takes at most, also while no answer is in progress
  double rest = 0;              ///< share of the time in which nothing is computed, [0, 1)
  uint8_t reasons = 0;          ///< of PaceReason, for reports

  bool operator==(const Pace&) const = default;
};

}  // namespace ingle::core
