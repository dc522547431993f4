#include "store/progress.h"

#include <utility>

namespace ingle::store {

void Reporter::stage(Stage stage, std::string message) {
  if (stage != progress_.stage) {
    progress_.bytes_per_second = 0;
    window_start_ = {};
  }
  progress_.stage = stage;
  progress_.message = std::move(message);
  report(true);
}

void Reporter::done(uint64_t bytes) {
  progress_.bytes_done = bytes;
  report(false);
}

void Reporter::received(uint64_t bytes) {
  const Clock::time_point now = Clock::now();
  if (window_start_ == Clock::time_point{}) {
    window_start_ = now;
    window_bytes_ = 0;
  }
  window_bytes_ += bytes;
  const double seconds = std::chrono::duration<double>(now - window_start_).count();
  if (seconds < 0.25) return;
  const double rate = static_cast<double>(window_bytes_) / seconds;
  // The weight of the past fades over about three seconds, however long the windows are.
  const double weight = seconds / (seconds + 3.0);
  progress_.bytes_per_second =
      progress_.bytes_per_second == 0 ? rate : progress_.bytes_per_second * (1 - weight) + rate * weight;
  window_start_ = now;
  window_bytes_ = 0;
}

void Reporter::report(bool force) {
  if (!callback_) return;
  const Clock::time_point now = Clock::now();
  if (!force && now - last_report_ < std::chrono::milliseconds(100)) return;
  last_report_ = now;
  callback_(progress_);
}

}  // namespace ingle::store
