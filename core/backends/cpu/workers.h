// A fixed pool of threads that run one function together, and the barrier between a program's phases.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace ingle::core {

/// Waits by spinning for some microseconds, then by sleeping.
class Barrier {
 public:
  explicit Barrier(uint32_t count) : count_(count) {}
  void wait();

 private:
  const uint32_t count_;
  alignas(64) std::atomic<uint32_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> generation_{0};
};

/// `count` workers, the caller being number 0. run() is for one caller at a time.
class Workers {
 public:
  explicit Workers(uint32_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  uint32_t count() const { return count_; }
  /// Calls work(worker) on every worker and returns when all are done. `work` must not throw. Allocates nothing: the
  /// work stays where the caller has it.
  template <typename Work>
  void run(const Work& work) {
    run_job({&work, [](const void* of, uint32_t worker) { (*static_cast<const Work*>(of))(worker); }});
  }
  /// Inside run(): all workers meet.
  void meet() { barrier_.wait(); }

 private:
  struct Job {
    const void* work = nullptr;
    void (*call)(const void* work, uint32_t worker) = nullptr;
  };

  void run_job(const Job& job);
  void loop(uint32_t worker);

  const uint32_t count_;
  Barrier barrier_;
  alignas(64) std::atomic<uint32_t> jobs_{0};
  alignas(64) std::atomic<uint32_t> done_{0};
  std::atomic<bool> stopping_{false};
  Job job_;
  std::vector<std::thread> threads_;
};

/// Physical cores that this process may run on, at least 1.
uint32_t physical_cores();

}  // namespace ingle::core
