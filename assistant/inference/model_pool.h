// The models that can be asked: those in memory, and those that are loaded when somebody asks for them. What nobody
// has used for a while, or what has to make room, is dropped; whoever uses a model keeps it until then.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "assistant/inference/model_service.h"
#include "base/result.h"

namespace ingle::assistant {

/// Holding it keeps the model in memory.
using Model = std::shared_ptr<ModelService>;

struct ModelPoolOptions {
  using Clock = std::chrono::steady_clock;

  size_t most = 3;                       ///< models in memory
  std::chrono::seconds keep_alive{300};  ///< after the last use
  /// The one name of the model that a client means; empty: there is none. For any thread.
  std::function<std::string(std::string_view)> name_of;
  /// Loads a model by that name. On the pool's thread, one at a time.
  std::function<base::Result<std::unique_ptr<ModelService>>(const std::string& name)> load;
  /// Set: no model is loaded, which is what everybody is told who asks for one; the pool has no thread then.
  std::optional<base::Error> off;
  std::filesystem::path cache_folder;  ///< where models keep copies of weights, and prefixes; empty: nowhere
  std::function<Clock::time_point()> now = Clock::now;  ///< for tests
};

/// For any thread.
class ModelPool {
 public:
  using Then = std::function<void(base::Result<Model>)>;
  /// std::nullopt: for ever. Zero: until those who use it now have ended.
  using KeepAlive = std::optional<std::chrono::seconds>;

  explicit ModelPool(ModelPoolOptions options);
  /// As end(); waits a while for those who hold a model.
  ~ModelPool();
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  /// Puts one there that has been loaded.
  void add(const std::string& name, std::unique_ptr<ModelService> model, KeepAlive keep_alive);

  /// Error: ModelPoolOptions::off.
  base::Status may_load() const;
  /// Whether there is a model of that name, in memory or not.
  bool knows(std::string_view name) const { return !options_.name_of(name).empty(); }
  /// The model where it is in memory, else null. Does not count as its use.
  Model find(std::string_view name);
  /// Loads it where it is not in memory, and tells `then`, on this thread or the pool's. Errors: not_found; busy (all
  /// places are taken by models that are in use); those of loading.
  void when_loaded(std::string_view name, Then then);
  /// In memory, the one that was used last first.
  struct Resident {
    Model model;
    std::optional<std::chrono::seconds> left;  ///< until it is dropped if nobody uses it; nothing: it stays
  };
  std::vector<Resident> resident();
  /// How long to keep a model after its last use, from now on.
  void keep(const ModelService& model, KeepAlive keep_alive);
  /// Drops the model of that own name, once those who use it have ended; the next request loads it anew. False: it is
  /// not in memory.
  bool drop(const std::string& name);
  /// Drops what was kept for a principal, by all models, also on disk.
  void forget(const std::string& principal);
  /// Deletes what was kept of a model whose file is gone.
  void forget_file(const std::filesystem::path& model);
  /// Of all models, also those to come.
  void set_pace(const core::Pace& pace);
  /// Takes no more requests.
  void close();
  /// Ends all models, also those that were dropped and are held still: nothing is told of them afterwards.
  void end();

 private:
  struct Entry {
    std::string name;
    Model model;
    KeepAlive keep_alive;
    ModelPoolOptions::Clock::time_point last_used;

    bool in_use() const { return model.use_count() > 1; }
  };
  struct Ended;

  Model lease(std::unique_ptr<ModelService> model);
  std::vector<Model> all_held() const;
  Entry* entry_of(const std::string& name);
  void run();
  void load(std::unique_lock<std::mutex>& lock);
  bool make_room(std::unique_lock<std::mutex>& lock);
  void drop_idle();

  const ModelPoolOptions options_;
  const std::shared_ptr<Ended> ended_;  ///< models that nobody holds any more
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;                       ///< guarded by mutex_, as all below
  std::map<std::string, std::vector<Then>> asked_;   ///< what is to be loaded, and who waits for it
  std::vector<std::weak_ptr<ModelService>> leased_;  ///< all that may be held
  core::Pace pace_;
  bool closed_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace ingle::assistant
