// What the machine and our processes take right now, for whoever watches: CPU, memory, and how long something waited
// for them. Linux tells it in files, each of which may be absent:
// - PROC/stat: busy time of all CPUs, in ticks; PROC/PID/stat: that of a process
// - PROC/meminfo; PROC/PID/statm: what a process has in memory, in pages
// - PROC/pressure/{cpu,memory,io}: the share of the last ten seconds in which something waited
//   (https://docs.kernel.org/accounting/psi.html)
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>

namespace ingle::assistant {

struct DeviceReading {
  uint32_t cores = 0;  ///< logical CPUs
  /// CPUs that were busy since the reading before, of all and of our own processes; nothing the first time.
  std::optional<double> busy, own_busy;
  uint64_t memory_bytes = 0, available_bytes = 0;
  std::map<int, uint64_t> resident_bytes;  ///< by our process
  struct Pressure {
    double cpu = 0, memory = 0, io = 0;
  };
  std::optional<Pressure> pressure;  ///< nothing where the kernel does not tell
};

class DeviceMeter {
 public:
  explicit DeviceMeter(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}

  /// `own`: our processes.
  DeviceReading read(int64_t now_ns, std::span<const int> own);

 private:
  std::optional<uint64_t> busy_ticks(uint32_t& cores) const;
  std::optional<uint64_t> process_ticks(int process) const;
  std::optional<double> pressure(const char* of) const;

  const std::filesystem::path proc_;
  int64_t last_ns_ = 0;  ///< 0: it has not been read
  std::optional<uint64_t> busy_;
  std::map<int, uint64_t> own_;  ///< ticks, by process
};

}  // namespace ingle::assistant
