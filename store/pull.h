// One pull, from the lock to the manifest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/fetch.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/system.h"

namespace ingle::store {

struct RankedSource {
  Address address;
  int rank = 1;
};

struct PullPlan {
  Target target;
  std::vector<RankedSource> sources;  ///< by rank
};

/// What a pull's lock and partial folder are called.
std::string key_of(const PullPlan& plan);

/// Waits for the lock of what the plan fetches, fetches it unless it is there by then, verifies, publishes.
Result<InstalledModel> run_pull(const StoreOptions& options, const Layout& layout, PullPlan plan, Reporter& reporter);

InstalledModel installed_from(const Layout& layout, const Manifest& manifest);

}  // namespace ingle::store
