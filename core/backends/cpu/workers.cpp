#include "core/backends/cpu/workers.h"

namespace ingle::core {
namespace {

// About 50 microseconds of pauses; longer than the others' last pieces of a decode phase, short enough that a waiting
// worker does not starve whoever else wants the core.
constexpr int kSpins = 2000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until ready(value): by spinning, then asleep.
template <typename Ready>
void wait_until(std::atomic<uint32_t>& value, Ready ready) {
  for (int i = 0; i < kSpins; ++i) {
    if (ready(value.load(std::memory_order_acquire))) return;
    pause();
  }
  for (uint32_t old; !ready(old = value.load(std::memory_order_acquire));) value.wait(old, std::memory_order_acquire);
}

}  // namespace

Cut cut(size_t items, size_t workers, size_t unit, size_t parts) {
  const auto part = [&](size_t of_share) { return std::max<size_t>(items / (workers * of_share) / unit, 1) * unit; };
  Cut cut{.large = part(parts), .small = part(parts * 4)};
  cut.count = items * 3 / 4 / cut.large;
  return cut;
}

Cut even_cut(size_t items, size_t workers, size_t unit, size_t most) {
  const size_t pieces = std::max<size_t>((items + most * workers - 1) / (most * workers), 1) * workers;
  const size_t units = (items + unit - 1) / unit, each = units / pieces;
  return {.large = (each + 1) * unit, .count = units % pieces, .small = std::max<size_t>(each, 1) * unit};
}

Workers::Workers(uint32_t count, std::span<const CpuSet> places) : count_(count == 0 ? 1 : count), active_(count_) {
  for (uint32_t worker = 1; worker < count_; ++worker) {
    threads_.emplace_back([this, worker] { loop(worker); });
    if (!places.empty() && hold_thread(threads_.back(), places[worker % places.size()])) ++held_;
  }
}

Workers::~Workers() {
  stopping_.store(true, std::memory_order_relaxed);
  set_active(count_);
  jobs_.fetch_add(1, std::memory_order_release);
  jobs_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::set_active(uint32_t count) {
  active_.store(std::clamp(count, 1u, count_), std::memory_order_release);
  active_.notify_all();
}

void Workers::loop(uint32_t worker) {
  uint32_t seen = 0;
  for (;;) {
    for (uint32_t active; worker >= (active = active_.load(std::memory_order_acquire));) active_.wait(active);
    wait_until(jobs_, [seen](uint32_t jobs) { return jobs != seen; });
    seen = jobs_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    if (leaves(worker)) continue;
    if ((inside_.fetch_add(1, std::memory_order_acq_rel) & kClosed) == 0) job_.call(job_.work, worker);
    if (inside_.fetch_sub(1, std::memory_order_acq_rel) == (kClosed | 1)) inside_.notify_all();
  }
}

// Nobody is inside a closed job, so that what belongs to it may change. One that comes too late only bumps `inside_`
// for a moment; that is why it is opened and closed by its bit alone.
void Workers::run_job(const Job& job) {
  if (count_ == 1) return job.call(job.work, 0);
  job_ = job;
  inside_.fetch_and(~kClosed, std::memory_order_acq_rel);
  jobs_.fetch_add(1, std::memory_order_release);
  jobs_.notify_all();
  job.call(job.work, 0);
  inside_.fetch_or(kClosed, std::memory_order_acq_rel);
  wait_until(inside_, [](uint32_t inside) { return inside == kClosed; });
}

void Workers::finish(Counter& counter) {
  Phase& phase = *counter.phase_;
  const uint32_t mine = counter.done_, total = counter.total_;
  counter = {};
  if (count_ == 1 || total == 0) return;
  if (mine != 0 && phase.done.fetch_add(mine, std::memory_order_acq_rel) + mine == total) {
    phase.over.store(1, std::memory_order_release);
    phase.over.notify_all();
    return;
  }
  wait_until(phase.over, [](uint32_t over) { return over != 0; });
}

}  // namespace ingle::core
