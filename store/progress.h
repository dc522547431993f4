// Turns the steps of a pull into a moderate stream of Progress values, with a smoothed rate.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "store/store.h"

namespace ingle::store {

class Reporter {
 public:
  using Clock = std::chrono::steady_clock;
  Reporter(ProgressCallback callback, CancelledCallback cancelled)
      : callback_(std::move(callback)), cancelled_(std::move(cancelled)) {}

  bool cancelled() const { return cancelled_ && cancelled_(); }

  /// A new step; reported at once.
  void stage(Stage stage, std::string message);
  void set_total(uint64_t bytes) { progress_.bytes_total = bytes; }
  /// Where the whole pull is; reported when a tenth of a second has passed.
  void done(uint64_t bytes);
  /// Bytes that came from outside since the last call; they make the rate.
  void received(uint64_t bytes);
  const Progress& now() const { return progress_; }

 private:
  void report(bool force);
  ProgressCallback callback_;
  CancelledCallback cancelled_;
  Progress progress_;
  Clock::time_point last_report_{};
  Clock::time_point window_start_{};
  uint64_t window_bytes_ = 0;
};

}  // namespace ingle::store
