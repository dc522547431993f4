// From what others do on the device to the pace at which we may compute: a core that others need is left to them within
// a tenth of a second, as a thread that is merely given a low priority is in the way of whoever has a frame to draw
// every 16 ms; it is taken back half a second after they have gone, later where they come and go.
//
// A function of what it is given and of its state, without a clock of its own.
#pragma once

#include <cstdint>

#include "assistant/pacing/device_load.h"
#include "core/scheduler/pace.h"

namespace ingle::assistant {

struct PaceLimits {
  uint32_t threads = 1;  ///< of the engine
  double cores = 1;      ///< that we may use; a control group may allow a part of one
};

class PaceController {
 public:
  explicit PaceController(const PaceLimits& limits) : limits_(limits) {}

  /// The pace until the next call. `now_ns` never goes back.
  core::Pace next(const DeviceLoad& load, int64_t now_ns);

 private:
  void follow_others(const DeviceLoad& load, int64_t now_ns, core::Pace& pace);
  void follow_quota(const DeviceLoad& load, int64_t now_ns, core::Pace& pace);
  void spare_device(const DeviceLoad& load, core::Pace& pace);

  const PaceLimits limits_;
  int64_t last_ns_ = 0;
  bool first_ = true;
  double demand_ = 0;               ///< cores that others need, smoothed
  uint32_t threads_ = 0;            ///< that others leave; 0: not known
  int64_t wanted_ns_ = 0;           ///< when others last needed as many cores as they have
  int64_t raised_ns_ = 0;           ///< when a core was taken back
  int64_t hold_ns_ = 0;             ///< how long a core is left to others after they needed it
  uint32_t quota_threads_ = 0;      ///< that the control group's time suffices for; 0: for all
  int64_t quota_ns_ = 0;            ///< when it did not
  bool hot_ = false, low_ = false;  ///< each stays until it is well over
};

}  // namespace ingle::assistant
