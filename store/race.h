// Sources of equal rank run against each other with a small request each; the order in which they should be tried
// comes out. Nothing else decides between them, so a mirror that is near wins without being configured.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/result.h"

namespace ingle::store {

struct RaceOutcome {
  std::vector<size_t> order;        ///< all racers: the fastest first, then those that did not finish in time, in
                                    ///< their own order, then those that failed
  std::vector<double> seconds;      ///< by racer; negative where it did not finish
  std::vector<base::Error> errors;  ///< by racer; message empty where it did not fail
};

/// Each racer runs in its own thread and polls `stop`. When the first finishes, the others get as long again (at least
/// 100 ms, at most 2 s) before they are stopped. After `limit_seconds` everyone is.
RaceOutcome race(const std::vector<std::function<base::Result<double>(const std::atomic<bool>& stop)>>& racers,
                 double limit_seconds, const std::function<bool()>& cancelled);

}  // namespace ingle::store
