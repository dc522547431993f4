// Watches the device on a thread of its own and says at which pace to compute.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "assistant/pacing/device_load.h"
#include "assistant/pacing/pace_controller.h"

namespace ingle::assistant {

class Pacer {
 public:
  struct Hooks {
    std::function<bool()> busy;                  ///< whether anything is computed; else it looks seldom
    std::function<std::vector<int>()> own;       ///< our processes
    std::function<void(const core::Pace&)> set;  ///< a new pace, also the first
  };
  /// All from the pacer's thread, until it is destroyed.
  Pacer(LoadReader reader, const PaceLimits& limits, Hooks hooks);
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

 private:
  void run();

  LoadReader reader_;
  PaceController controller_;
  const Hooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

/// A pacer of this machine, for an engine with so many threads.
std::unique_ptr<Pacer> make_pacer(uint32_t threads, Pacer::Hooks hooks);

}  // namespace ingle::assistant
