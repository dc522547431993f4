// The processor's cores: which logical CPUs belong together, how fast each core is, and where workers may run.
//
// Linux tells it in /sys/devices: of CPU N, system/cpu/cpuN/topology/thread_siblings_list (those of the same core),
// cpu_capacity (at most 1024) and cpufreq/cpuinfo_max_freq; of an Intel hybrid, cpu_atom/cpus. Numbers of cores
// (core_id) are not used: on Arm each cluster counts from 0 again. What is absent, not of that form or too large
// counts as unknown, and cores of which nothing is known are alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace ingle::core {

using CpuSet = std::vector<uint32_t>;  ///< numbers of logical CPUs, ascending

struct Core {
  CpuSet cpus;       ///< of those that may be used
  double speed = 1;  ///< as a share of the fastest core's
};

/// The logical CPUs that this thread may use; empty if the system does not tell.
CpuSet allowed_cpus();
/// Lets the thread run on those only; false if the system does not.
bool hold_thread(std::thread& thread, const CpuSet& cpus);

/// The cores that those belong to, fastest first. `devices` is /sys/devices, or a tree like it.
std::vector<Core> find_cores(const std::filesystem::path& devices, std::span<const uint32_t> allowed);
/// The cores that this thread may use; at least one.
std::vector<Core> usable_cores();
/// cpu_quota() of this process.
std::optional<double> usable_cpu_time();
/// What these two say from now on, in a process that can't read /sys. Before there are other threads.
void assume_cores(std::vector<Core> cores, std::optional<double> cpu_time);

/// How many of these cores are worth a thread each, by default, where the time of so many CPUs is allowed: one thread
/// more would have all of them stopped for the rest of each period.
uint32_t useful_cores(std::span<const Core> cores, std::optional<double> quota = {});
/// How many CPUs' time the control groups of this process allow it, as `docker run --cpus` does; nothing where none has
/// a limit. Parameters as base::control_groups() says.
std::optional<double> cpu_quota(const std::filesystem::path& mount = "/sys/fs/cgroup",
                                const std::filesystem::path& self = "/proc/self/cgroup");
/// The CPUs of all cores that are about as fast as those that so many threads need; empty if that is every core.
CpuSet fast_enough(std::span<const Core> cores, uint32_t threads);

}  // namespace ingle::core
