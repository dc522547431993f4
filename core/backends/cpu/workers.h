// A fixed pool of threads that share out work in pieces.
//
// A phase is over when all of its pieces are done, not when all workers have arrived: a worker whose core other
// programs have taken holds up the others only while it has a piece in hand. When it runs again, it finds nothing left
// of the phases that it missed and catches up.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "core/backends/cpu/cores.h"

namespace ingle::core {

/// What workers share of a phase: which piece is next, how many items are done, and, apart from what changes with each
/// piece, whether that is all of them.
struct Phase {
  alignas(64) std::atomic<uint32_t> next{0};
  std::atomic<uint32_t> done{0};
  alignas(64) std::atomic<uint32_t> over{0};
  void reset() {
    next.store(0, std::memory_order_relaxed);
    done.store(0, std::memory_order_relaxed);
    over.store(0, std::memory_order_relaxed);
  }
};

/// How a phase's items are cut into pieces: the first ones large, so that there are few of them, the last ones small,
/// so that nobody is left with much at the end.
struct Cut {
  size_t large = 1;
  size_t count = 0;  ///< of large pieces
  size_t small = 1;
  /// Where piece `n` begins.
  size_t begin(size_t n) const { return n < count ? n * large : count * large + (n - count) * small; }
};
/// Pieces that begin at multiples of `unit`, for so many workers: three quarters of the items by one of `parts` of a
/// worker's share at a time, the rest by a quarter of that.
Cut cut(size_t items, size_t workers, size_t unit, size_t parts);
/// Pieces that begin at multiples of `unit` and have at most `most` items: as few as that allows, as many for one
/// worker as for another, and as large.
Cut even_cut(size_t items, size_t workers, size_t unit, size_t most);

/// One worker's part in a phase. Several kinds of work may be in one phase, each with a Phase of its own to take from.
class Counter {
 public:
  /// The pieces that take() hands out next are `phase`'s.
  void take_from(Phase& phase) { phase_ = &phase; }

  /// Calls work(begin, end) for pieces of `total` items, as long as there are any.
  template <typename Function>
  void take(size_t total, const Cut& cut, Function work) {
    total_ += static_cast<uint32_t>(total);
    for (;;) {
      const size_t piece = phase_->next.fetch_add(1, std::memory_order_relaxed);
      const size_t begin = cut.begin(piece);
      if (begin >= total) return;
      const size_t end = std::min(total, cut.begin(piece + 1));
      work(begin, end);
      done_ += static_cast<uint32_t>(end - begin);
    }
  }
  /// The same with pieces of up to `piece` items.
  template <typename Function>
  void take(size_t total, size_t piece, Function work) {
    take(total, Cut{.small = piece}, work);
  }

 private:
  friend class Workers;
  Phase* phase_ = nullptr;
  uint32_t total_ = 0;  ///< items of the phase
  uint32_t done_ = 0;   ///< by this worker
};

/// `count` workers, the caller being number 0. run() is for one caller at a time.
class Workers {
 public:
  /// Worker i > 0 runs on the CPUs of places[i], from the start again where there are fewer places; without any,
  /// wherever the system lets it. The caller's thread is not touched.
  explicit Workers(uint32_t count, std::span<const CpuSet> places = {});
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  uint32_t count() const { return count_; }
  /// How many workers the system holds to their places.
  uint32_t held() const { return held_; }
  /// From any thread: only that many workers take part from now on, at least the caller of run(); the others sleep.
  void set_active(uint32_t count);
  uint32_t active() const { return active_.load(std::memory_order_relaxed); }
  /// Inside run(), with no piece in hand and between phases: whether this worker is to return, as it is no longer
  /// active. Those that stay do what is left.
  bool leaves(uint32_t worker) const { return worker >= active(); }
  /// Calls work(worker) on this thread, and on those others that come before it is done here; returns when all that
  /// came are done. So `work` has to take from what is shared, and may find that nothing is left, also more than once.
  /// It must not throw. Allocates nothing: the work stays where the caller has it.
  template <typename Work>
  void run(const Work& work) {
    run_job({&work, [](const void* of, uint32_t worker) { (*static_cast<const Work*>(of))(worker); }});
  }
  /// Inside run(): ends this worker's part in a phase and waits until all items are done. The Phase that all took from
  /// last keeps count.
  void finish(Counter& counter);

 private:
  struct Job {
    const void* work = nullptr;
    void (*call)(const void* work, uint32_t worker) = nullptr;
  };

  void run_job(const Job& job);
  void loop(uint32_t worker);

  const uint32_t count_;
  uint32_t held_ = 0;
  alignas(64) std::atomic<uint32_t> jobs_{0};
  /// How many of the other workers are in the job; kClosed: no more may enter.
  static constexpr uint32_t kClosed = 1u << 31;
  alignas(64) std::atomic<uint32_t> inside_{kClosed};
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<uint32_t> active_;
  Job job_;
  std::vector<std::thread> threads_;
};

}  // namespace ingle::core
