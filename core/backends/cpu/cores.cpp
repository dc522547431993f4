#include "core/backends/cpu/cores.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "base/control_groups.h"

namespace ingle::core {
namespace {

// Set once, before there are threads.
struct Assumed {
  std::vector<Core> cores;  ///< empty: nothing is assumed
  std::optional<double> cpu_time;
};
Assumed assumed;

constexpr uint32_t kMostCpus = 8192;             // of Linux's largest configuration
constexpr uint64_t kMostBytes = 65536;           // of such a file: a page of memory, by the system's account
constexpr uint64_t kMostKilohertz = 1000000000;  // far beyond any processor

// What an Intel E-core does per clock, as a share of what a P-core does. An estimate from what is published of both.
constexpr double kAtomPerClock = 0.75;
// Slower cores stay idle by default (see README).
constexpr double kUseful = 0.5;
// Cores of one kind may differ by this much: some are allowed higher clocks than others.
constexpr double kAlike = 0.8;

// Files of control groups have no size to read by. A longer one is of no such form.
std::string_view read(const std::filesystem::path& path, std::string& memory) {
  memory.resize(kMostBytes + 1);
  std::ifstream file(path);
  file.read(memory.data(), static_cast<std::streamsize>(memory.size()));
  memory.resize(static_cast<size_t>(file.gcount()));
  if (memory.size() > kMostBytes) memory.clear();
  std::string_view trimmed = memory;
  while (!trimmed.empty() && trimmed.back() == '\n') trimmed.remove_suffix(1);
  return trimmed;
}

// Takes a number from 0 to `most` off the start of the text.
bool take_number(std::string_view& text, uint64_t most, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > most) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

// 0: unknown.
uint64_t read_number(const std::filesystem::path& path, uint64_t most) {
  std::string memory;
  std::string_view text = read(path, memory);
  uint64_t number = 0;
  return take_number(text, most, number) && text.empty() ? number : 0;
}

// "0-3,8": ascending, so that there can't be more of them than CPUs. Empty: unknown.
CpuSet read_cpus(const std::filesystem::path& path) {
  std::string memory;
  std::string_view text = read(path, memory);
  CpuSet cpus;
  for (;;) {
    uint64_t first = 0, last = 0;
    if (!take_number(text, kMostCpus - 1, first)) return {};
    last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take_number(text, kMostCpus - 1, last)) return {};
    }
    if (last < first || (!cpus.empty() && first <= cpus.back())) return {};
    for (; first <= last; ++first) cpus.push_back(static_cast<uint32_t>(first));
    if (text.empty()) return cpus;
    if (!text.starts_with(',')) return {};
    text.remove_prefix(1);
  }
}

// Of a group: "200000 100000", microseconds in a period of so many; of version 1 in two files. 0: no limit, or unknown.
double quota_of(const base::ControlGroup& group) {
  constexpr uint64_t kMostMicroseconds = 1'000'000'000'000;
  uint64_t quota = 0, period = 0;
  if (group.version == 1) {
    quota = read_number(group.folder / "cpu.cfs_quota_us", kMostMicroseconds);
    period = read_number(group.folder / "cpu.cfs_period_us", kMostMicroseconds);
  } else {
    std::string memory;
    std::string_view text = read(group.folder / "cpu.max", memory);
    if (!take_number(text, kMostMicroseconds, quota) || !text.starts_with(' ')) return 0;
    text.remove_prefix(1);
    if (!take_number(text, kMostMicroseconds, period) || !text.empty()) return 0;
  }
  return period == 0 ? 0 : static_cast<double>(quota) / static_cast<double>(period);
}

bool contains(const CpuSet& cpus, uint32_t cpu) {
  return std::ranges::binary_search(cpus, cpu);
}

using Mask = std::array<cpu_set_t, kMostCpus / CPU_SETSIZE>;

/// What the system says of a core's speed; 0: unknown.
struct Rating {
  double capacity = 0, kilohertz = 0;
  bool atom = false;
};

// Capacities where they tell cores apart: on x86 they are all the same where the processor has hyper-threading. Else
// clocks, if they are known of all.
std::vector<double> speeds(const std::vector<Rating>& ratings) {
  const auto [least, most] = std::ranges::minmax(ratings, {}, &Rating::capacity);
  const bool capacities = least.capacity > 0 && least.capacity < most.capacity;
  const bool clocks = std::ranges::min(ratings, {}, &Rating::kilohertz).kilohertz > 0;
  std::vector<double> out;
  for (const Rating& rating : ratings)
    out.push_back(capacities ? rating.capacity : (clocks ? rating.kilohertz : 1) * (rating.atom ? kAtomPerClock : 1));
  const double fastest = std::ranges::max(out);
  for (double& speed : out) speed /= fastest;
  return out;
}

}  // namespace

CpuSet allowed_cpus() {
  Mask mask{};
  CpuSet cpus;
  if (::sched_getaffinity(0, sizeof mask, mask.data()) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < kMostCpus; ++cpu)
    if (CPU_ISSET_S(cpu, sizeof mask, mask.data())) cpus.push_back(cpu);
  return cpus;
}

bool hold_thread(std::thread& thread, const CpuSet& cpus) {
  Mask mask{};
  for (const uint32_t cpu : cpus) CPU_SET_S(cpu, sizeof mask, mask.data());
  return ::pthread_setaffinity_np(thread.native_handle(), sizeof mask, mask.data()) == 0;
}

std::vector<Core> find_cores(const std::filesystem::path& devices, std::span<const uint32_t> allowed) {
  const CpuSet atoms = read_cpus(devices / "cpu_atom" / "cpus");
  std::map<uint32_t, size_t> index;  // by the first CPU of the core
  std::vector<Core> cores;
  std::vector<Rating> ratings;
  for (const uint32_t cpu : allowed) {
    const std::filesystem::path folder = devices / "system" / "cpu" / ("cpu" + std::to_string(cpu));
    const CpuSet together = read_cpus(folder / "topology" / "thread_siblings_list");
    const auto [at, added] = index.emplace(contains(together, cpu) ? together.front() : cpu, cores.size());
    if (added) {
      cores.emplace_back();
      ratings.push_back({static_cast<double>(read_number(folder / "cpu_capacity", kMostKilohertz)),
                         static_cast<double>(read_number(folder / "cpufreq" / "cpuinfo_max_freq", kMostKilohertz)),
                         contains(atoms, cpu)});
    }
    cores[at->second].cpus.push_back(cpu);
  }
  if (cores.empty()) return cores;
  const std::vector<double> speed = speeds(ratings);
  for (size_t i = 0; i < cores.size(); ++i) cores[i].speed = speed[i];
  std::ranges::sort(cores, [](const Core& a, const Core& b) {
    return a.speed != b.speed ? a.speed > b.speed : a.cpus.front() < b.cpus.front();
  });
  return cores;
}

std::vector<Core> usable_cores() {
  if (!assumed.cores.empty()) return assumed.cores;
  std::vector<Core> cores = find_cores("/sys/devices", allowed_cpus());
  if (cores.empty()) cores.emplace_back();
  return cores;
}

std::optional<double> usable_cpu_time() {
  return assumed.cores.empty() ? cpu_quota() : assumed.cpu_time;
}

void assume_cores(std::vector<Core> cores, std::optional<double> cpu_time) {
  assumed = {std::move(cores), cpu_time};
}

uint32_t useful_cores(std::span<const Core> cores, std::optional<double> quota) {
  const auto useful = std::ranges::count_if(cores, [](const Core& core) { return core.speed >= kUseful; });
  const double time = std::max(quota.value_or(kMostCpus), 1.0);
  return static_cast<uint32_t>(std::min(static_cast<double>(useful), time));
}

std::optional<double> cpu_quota(const std::filesystem::path& mount, const std::filesystem::path& self) {
  std::optional<double> least;
  for (const base::ControlGroup& group : base::control_groups("cpu", mount, self))
    if (const double quota = quota_of(group); quota > 0) least = std::min(quota, least.value_or(quota));
  return least;
}

CpuSet fast_enough(std::span<const Core> cores, uint32_t threads) {
  if (threads == 0 || threads >= cores.size()) return {};
  const double slowest = cores[threads - 1].speed * kAlike;
  if (cores.back().speed >= slowest) return {};
  CpuSet cpus;
  for (const Core& core : cores)
    if (core.speed >= slowest) cpus.insert(cpus.end(), core.cpus.begin(), core.cpus.end());
  std::ranges::sort(cpus);
  return cpus;
}

}  // namespace ingle::core
