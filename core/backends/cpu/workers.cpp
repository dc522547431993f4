#include "core/backends/cpu/workers.h"

#include <sched.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>

namespace ingle::core {
namespace {

// About 50 microseconds of pauses; long enough for the other workers' share of a decode phase, short enough that a
// waiting worker does not starve whoever else wants the core.
constexpr int kSpins = 2000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is not `old`.
void wait_for_change(std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

void Barrier::wait() {
  if (count_ == 1) return;
  const uint32_t generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    return;
  }
  wait_for_change(generation_, generation);
}

Workers::Workers(uint32_t count) : count_(count == 0 ? 1 : count), barrier_(count_) {
  for (uint32_t worker = 1; worker < count_; ++worker) threads_.emplace_back([this, worker] { loop(worker); });
}

Workers::~Workers() {
  stopping_.store(true, std::memory_order_relaxed);
  jobs_.fetch_add(1, std::memory_order_release);
  jobs_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::loop(uint32_t worker) {
  uint32_t seen = 0;
  for (;;) {
    wait_for_change(jobs_, seen);
    ++seen;
    if (stopping_.load(std::memory_order_relaxed)) return;
    job_.call(job_.work, worker);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 2 == count_) done_.notify_one();
  }
}

void Workers::run_job(const Job& job) {
  if (count_ == 1) return job.call(job.work, 0);
  job_ = job;
  done_.store(0, std::memory_order_relaxed);
  jobs_.fetch_add(1, std::memory_order_release);
  jobs_.notify_all();
  job.call(job.work, 0);
  uint32_t done = done_.load(std::memory_order_acquire);
  while (done != count_ - 1) {
    wait_for_change(done_, done);
    done = done_.load(std::memory_order_acquire);
  }
}

uint32_t physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::pair<std::string, std::string>> cores;
  uint32_t logical = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    ++logical;
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    std::string core, package;
    std::ifstream(topology + "core_id") >> core;
    std::ifstream(topology + "physical_package_id") >> package;
    if (!core.empty()) cores.emplace(package, core);
  }
  const auto physical = static_cast<uint32_t>(cores.size());
  return physical != 0 ? physical : logical != 0 ? logical : 1;
}

}  // namespace ingle::core
