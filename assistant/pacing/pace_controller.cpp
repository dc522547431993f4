#include "assistant/pacing/pace_controller.h"

#include <algorithm>
#include <cmath>

namespace ingle::assistant {
namespace {

constexpr int64_t kMs = 1'000'000;
// Others' needs are believed at once, as a frame that is late can't be made up for, and forgotten slowly.
constexpr double kRiseNs = 60.0 * kMs, kFallNs = 300.0 * kMs;
constexpr double kTolerated = 0.3;  // cores that others may need of those that we compute on
constexpr double kSurely = 0.2;     // … to take one back
constexpr int64_t kShortestHoldNs = 500 * kMs, kLongestHoldNs = 8000 * kMs;
constexpr int64_t kSoonNs = 4000 * kMs;  // a core that had to be given up so soon after it was taken back
constexpr double kMostRest = 0.3;        // for others, so that answers go on
constexpr double kPassMs = 100, kRestingPassMs = 40;
constexpr uint32_t kSequencesPerThread = 8;

constexpr double kWarm = 5, kCool = 8;         // degrees below the limit
constexpr double kLow = 0.20, kEnough = 0.23;  // of a battery
constexpr double kNearlyEmpty = 0.10;
constexpr double kRestWhenWarm = 0.25, kRestToSpare = 0.5;

constexpr double kThrottled = 0.1;  // share of periods
constexpr int64_t kQuotaNs = 5000 * kMs;

uint32_t half(uint32_t threads) {
  return (threads + 1) / 2;
}

void limit(core::Pace& pace, uint32_t threads, core::PaceReason reason) {
  pace.threads = std::min(pace.threads, std::max(threads, 1u));
  pace.reasons |= reason;
}

}  // namespace

core::Pace PaceController::next(const DeviceLoad& load, int64_t now_ns) {
  core::Pace pace;
  pace.threads = limits_.threads;
  follow_others(load, now_ns, pace);
  follow_quota(load, now_ns, pace);
  spare_device(load, pace);
  if (pace.rest > 0) pace.pass_ms = std::min(pace.pass_ms, kRestingPassMs);
  last_ns_ = now_ns;
  first_ = false;
  return pace;
}

// Leaves as many cores as others need; where they need all, a part of the time of the last one.
void PaceController::follow_others(const DeviceLoad& load, int64_t now_ns, core::Pace& pace) {
  // Who waits without running much (kept from it by a low priority of its own) is not in a hurry.
  const double running = load.others_running.value_or(load.others_waiting.value_or(0));
  const double needed = running + std::min(load.others_waiting.value_or(0), running);
  const double elapsed = first_ ? 0 : static_cast<double>(now_ns - last_ns_);
  demand_ += (needed - demand_) * (1 - std::exp(-elapsed / (needed > demand_ ? kRiseNs : kFallNs)));

  const auto left = [&](double tolerated) {
    const double cores = std::floor(limits_.cores - demand_ + tolerated);
    return static_cast<uint32_t>(std::clamp(cores, 1.0, static_cast<double>(limits_.threads)));
  };
  if (first_) threads_ = limits_.threads, hold_ns_ = kShortestHoldNs;
  if (left(kSurely) <= threads_) wanted_ns_ = now_ns;
  if (left(kTolerated) < threads_) {
    threads_ = left(kTolerated);
    const bool soon = raised_ns_ != 0 && now_ns - raised_ns_ < kSoonNs;
    hold_ns_ = soon ? std::min(2 * hold_ns_, kLongestHoldNs) : kShortestHoldNs;
  } else if (now_ns - wanted_ns_ >= hold_ns_) {
    threads_ = left(kSurely);
    raised_ns_ = wanted_ns_ = now_ns;
  }
  if (threads_ < limits_.threads) {
    limit(pace, threads_, core::pace_others);
    pace.max_running = threads_ * kSequencesPerThread;
    pace.pass_ms = kPassMs;
  }
  // What of the last core others need.
  const double excess = demand_ + 1 - std::max(limits_.cores, 1.0) - kTolerated;
  if (threads_ > 1 || excess <= 0) return;
  pace.rest = std::min(excess, kMostRest);
  pace.reasons |= core::pace_others;
}

// A control group that stops us for the rest of each period: fewer threads get as far, and steadily.
void PaceController::follow_quota(const DeviceLoad& load, int64_t now_ns, core::Pace& pace) {
  if (load.throttled.value_or(0) > kThrottled) {
    if (quota_threads_ == 0 || now_ns - quota_ns_ >= kQuotaNs / 10) {
      quota_threads_ = std::max(quota_threads_ == 0 ? pace.threads - 1 : quota_threads_ - 1, 1u);
      quota_ns_ = now_ns;
    }
  } else if (now_ns - quota_ns_ >= kQuotaNs && quota_threads_ != 0) {
    quota_ns_ = now_ns;
    if (++quota_threads_ >= limits_.threads) quota_threads_ = 0;
  }
  if (quota_threads_ != 0) limit(pace, quota_threads_, core::pace_quota);
}

void PaceController::spare_device(const DeviceLoad& load, core::Pace& pace) {
  hot_ = load.heat_margin && *load.heat_margin <= (hot_ ? kCool : kWarm);
  low_ = load.battery && *load.battery <= (low_ ? kEnough : kLow);
  if (hot_) {
    limit(pace, half(limits_.threads), core::pace_heat);
    pace.rest = std::max(pace.rest, *load.heat_margin <= 0 ? kRestToSpare : kRestWhenWarm);
  }
  if (low_) {
    limit(pace, half(limits_.threads), core::pace_battery);
    if (*load.battery <= kNearlyEmpty) pace.rest = std::max(pace.rest, kRestToSpare);
  }
}

}  // namespace ingle::assistant
