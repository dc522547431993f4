#include "store/race.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace ingle::store {

using base::Error;
using base::ErrorCode;
using base::Result;

RaceOutcome race(const std::vector<std::function<Result<double>(const std::atomic<bool>& stop)>>& racers,
                 double limit_seconds, const std::function<bool()>& cancelled) {
  using Clock = std::chrono::steady_clock;
  RaceOutcome outcome;
  outcome.seconds.assign(racers.size(), -1.0);
  outcome.errors.assign(racers.size(), Error{ErrorCode::internal, ""});
  std::atomic<bool> stop = false;
  std::mutex mutex;  // guards outcome and running
  std::condition_variable changed;
  size_t running = racers.size();
  const Clock::time_point start = Clock::now();
  const auto elapsed = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };

  std::vector<std::thread> threads;
  threads.reserve(racers.size());
  for (size_t i = 0; i < racers.size(); ++i) {
    threads.emplace_back([&, i] {
      Result<double> result = racers[i](stop);
      const std::lock_guard lock(mutex);
      if (result.ok()) outcome.seconds[i] = *result;
      // One that was stopped has not failed.
      if (!result.ok() && !stop) outcome.errors[i] = std::move(result).error();
      --running;
      changed.notify_one();
    });
  }
  {
    std::unique_lock lock(mutex);
    double deadline = limit_seconds;
    bool won = false;
    while (running > 0 && elapsed() < deadline) {
      changed.wait_for(lock, std::chrono::milliseconds(20));
      if (!won && std::any_of(outcome.seconds.begin(), outcome.seconds.end(), [](double s) { return s >= 0; })) {
        won = true;
        deadline = std::min(deadline, elapsed() + std::clamp(elapsed(), 0.1, 2.0));
      }
      if (cancelled && cancelled()) break;
    }
    stop = true;
  }
  for (std::thread& thread : threads) thread.join();

  outcome.order.resize(racers.size());
  for (size_t i = 0; i < racers.size(); ++i) outcome.order[i] = i;
  const auto group = [&](size_t i) { return outcome.seconds[i] >= 0 ? 0 : outcome.errors[i].message.empty() ? 1 : 2; };
  std::sort(outcome.order.begin(), outcome.order.end(), [&](size_t a, size_t b) {
    if (group(a) != group(b)) return group(a) < group(b);
    if (group(a) == 0 && outcome.seconds[a] != outcome.seconds[b]) return outcome.seconds[a] < outcome.seconds[b];
    return a < b;
  });
  return outcome;
}

}  // namespace ingle::store
