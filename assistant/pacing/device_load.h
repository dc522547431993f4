// What others than this program do on the device, and how the device fares: what decides how much of it to take.
//
// Linux tells it in files, each of which may be absent:
// - PROC/stat: busy time of each CPU, in ticks; PROC/PID/task/TID/schedstat: how long a thread ran and waited for a
// CPU,
//   in nanoseconds. Others had the CPUs' time less that of our own threads.
// - PROC/schedstat: how long all threads waited; else PROC/pressure/cpu: how long at least one did, in microseconds
//   (https://docs.kernel.org/accounting/psi.html, https://docs.kernel.org/scheduler/sched-stats.html).
// - SYS/class/thermal/thermal_zone*/{temp,trip_point_*_{type,temp}}: thousandths of a degree Celsius.
// - SYS/class/power_supply/*/{type,scope,status,capacity}.
// - of control groups, cpu.stat: in how many periods their time was used up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace ingle::assistant {

/// On average since the reading before; nothing where the system does not tell.
struct DeviceLoad {
  /// CPUs that others keep busy, of those that we may use. What runs with a lower priority (nice) does not count, as it
  /// gives way by itself.
  std::optional<double> others_running;
  std::optional<double> others_waiting;  ///< how many of their threads wait for a CPU, or for what part of the time any
  std::optional<double> throttled;       ///< share of the control group's periods in which it had to stop
  std::optional<double> heat_margin;     ///< degrees to where the hottest part is slowed down or worse; below 0: beyond
  std::optional<double> battery;         ///< how full the emptiest battery is while it gives power, [0, 1]
};

class LoadReader {
 public:
  struct Places {
    std::filesystem::path proc = "/proc", sys = "/sys";
  };
  /// `cpus`: the logical CPUs that we may use.
  LoadReader(std::vector<uint32_t> cpus, Places places);

  /// `now_ns` never goes back; `own`: our processes. The first reading has no averages.
  DeviceLoad read(int64_t now_ns, std::span<const int> own);

 private:
  struct Times {
    int64_t running_ns = 0, waiting_ns = 0;
  };
  Times read_own(std::span<const int> own);
  std::optional<int64_t> read_busy_ticks(bool with_nice) const;
  std::optional<int64_t> read_waiting_ns() const;
  std::optional<int64_t> read_pressure_ns() const;
  std::optional<double> read_throttled();
  std::optional<double> read_heat_margin() const;
  std::optional<double> read_battery() const;

  const std::vector<uint32_t> cpus_;
  const Places places_;
  bool first_ = true;
  int64_t last_ns_ = 0, last_slow_ns_ = 0;
  std::map<std::pair<int, int>, Times> threads_;  ///< by process and thread
  std::optional<int64_t> busy_ticks_, waiting_ns_, pressure_ns_;
  struct Periods {
    int64_t all = 0, throttled = 0;
  };
  std::map<std::filesystem::path, Periods> periods_;
  std::optional<double> heat_margin_, battery_;
};

}  // namespace ingle::assistant
