// Energy counters: Documentation/power/powercap/powercap.rst and Documentation/ABI/testing/sysfs-class-power of Linux.
#include "cli/cost.h"

#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace ingle::cli {
namespace {

std::optional<double> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::string word_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    folders.push_back(entry->path());
  return folders;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

CostMeter::CostMeter(const std::filesystem::path& sysfs) {
  open_instructions();
  find_energy(sysfs);
}

void CostMeter::open_instructions() {
  perf_event_attr wanted{};
  wanted.type = PERF_TYPE_HARDWARE;
  wanted.size = sizeof wanted;
  wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  wanted.inherit = 1;  // the threads that this one starts
  const long fd = ::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd >= 0)
    instructions_ = base::FileDescriptor(static_cast<int>(fd));
  else if (errno == EACCES || errno == EPERM)
    no_instructions_ = "not permitted to count them (see kernel.perf_event_paranoid)";
  else
    no_instructions_ = std::string("this machine does not count them (") + std::strerror(errno) + ")";
}

// Whole packages where there are any: what lies inside them (cores, graphics) is part of their count.
void CostMeter::find_energy(const std::filesystem::path& sysfs) {
  for (const auto& folder : folders_in(sysfs / "class" / "powercap")) {
    if (!folder.filename().string().starts_with("intel-rapl:") || !word_in(folder / "name").starts_with("package"))
      continue;
    const EnergyCounter counter{folder, number_in(folder / "max_energy_range_uj").value_or(0) * 1e-6, false};
    if (counter.read()) counters_.push_back(counter);
  }
  if (!counters_.empty()) {
    energy_source_ = "RAPL";
    return;
  }
  for (const auto& folder : folders_in(sysfs / "class" / "power_supply")) {
    if (word_in(folder / "type") != "Battery" || word_in(folder / "status") != "Discharging") continue;
    const EnergyCounter counter{folder, 0, true};
    if (counter.read()) counters_.push_back(counter);
  }
  if (!counters_.empty()) energy_source_ = "battery";
}

std::optional<double> CostMeter::EnergyCounter::read() const {
  constexpr double joules_per_microwatthour = 3.6e-3;
  if (!battery) {
    const auto microjoules = number_in(folder / "energy_uj");
    return microjoules ? std::optional(*microjoules * 1e-6) : std::nullopt;
  }
  if (const auto energy = number_in(folder / "energy_now")) return *energy * joules_per_microwatthour;
  const auto microamperehours = number_in(folder / "charge_now"), microvolts = number_in(folder / "voltage_now");
  if (!microamperehours || !microvolts) return std::nullopt;
  return *microamperehours * *microvolts * 1e-6 * joules_per_microwatthour;
}

CostMeter::Reading CostMeter::read() const {
  Reading reading;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) reading.core_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  uint64_t count = 0;
  if (instructions_.get() >= 0 && ::read(instructions_.get(), &count, sizeof count) == sizeof count)
    reading.instructions = static_cast<double>(count);
  for (const EnergyCounter& counter : counters_) reading.joules.push_back(counter.read());
  return reading;
}

std::optional<double> CostMeter::joules_between(const Reading& before, const Reading& after) const {
  double sum = 0;
  for (size_t i = 0; i < counters_.size(); ++i) {
    if (!before.joules[i] || !after.joules[i]) return std::nullopt;
    double used = *after.joules[i] - *before.joules[i];
    if (counters_[i].battery) used = -used;
    if (used < 0 && !counters_[i].battery) used += counters_[i].range_joules;
    sum += used;
  }
  // A battery's gauge is coarse: no step within the time says nothing.
  return sum > 0 ? std::optional(sum) : std::nullopt;
}

void CostMeter::start() {
  begin_ = read();
}

Cost CostMeter::stop() const {
  const Reading end = read();
  Cost cost;
  cost.core_seconds = end.core_seconds - begin_.core_seconds;
  if (begin_.instructions && end.instructions) cost.instructions = *end.instructions - *begin_.instructions;
  cost.joules = joules_between(begin_, end);
  return cost;
}

}  // namespace ingle::cli
