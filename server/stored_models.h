// What clients may call models: the names of the store, and that of the model that the server was started with. A name
// is never a path or an address here.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace ingle::server {

/// For any thread.
class StoredModels {
 public:
  explicit StoredModels(store::StoreOptions options) : options_(std::move(options)) {}

  /// A model by further names, the first of which is its own; it need not be in the store.
  void add(std::vector<std::string> names, store::InstalledModel model);
  /// The model's own name; empty: there is none. ":latest" may follow.
  std::string name_of(std::string_view asked);
  /// The own name of the first that was added; empty: none was.
  std::string default_name();
  /// The model of that own name. Errors: not_found.
  base::Result<store::InstalledModel> find(const std::string& name);
  /// All, by name.
  std::vector<store::InstalledModel> list();
  /// A store of its own for whoever changes what is there; changed() is to follow. Errors: as store::Store::open.
  base::Result<store::Store> open() const { return store::Store::open(options_); }
  /// Where the store is.
  const std::filesystem::path& folder() const { return options_.root; }
  void changed();
  /// Downloads are to end.
  void stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

 private:
  void refresh(bool at_once);
  const store::InstalledModel* known(const std::string& name) const;

  const store::StoreOptions options_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;  ///< of all below
  std::map<std::string, std::string> aliases_;
  std::vector<store::InstalledModel> own_, stored_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
};

}  // namespace ingle::server
