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
#include <thread>
#include <vector>

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

/// One worker's part in a phase. Several kinds of work may be in one phase, each with a Phase of its own to take from.
class Counter {
 public:
  /// The pieces that take() hands out next are `phase`'s.
  void take_from(Phase& phase) { phase_ = &phase; }

  /// Calls work(begin, end) for pieces of up to `piece` of `total` items, as long as there are any.
  template <typename Function>
  void take(size_t total, size_t piece, Function work) {
    total_ += static_cast<uint32_t>(total);
    for (;;) {
      const size_t begin = size_t{phase_->next.fetch_add(1, std::memory_order_relaxed)} * piece;
      if (begin >= total) return;
      const size_t end = std::min(total, begin + piece);
      work(begin, end);
      done_ += static_cast<uint32_t>(end - begin);
    }
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
  explicit Workers(uint32_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  uint32_t count() const { return count_; }
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
  alignas(64) std::atomic<uint32_t> jobs_{0};
  /// How many of the other workers are in the job; kClosed: no more may enter.
  static constexpr uint32_t kClosed = 1u << 31;
  alignas(64) std::atomic<uint32_t> inside_{kClosed};
  std::atomic<bool> stopping_{false};
  Job job_;
  std::vector<std::thread> threads_;
};

/// Physical cores that this process may run on, at least 1.
uint32_t physical_cores();

}  // namespace ingle::core
