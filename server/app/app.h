// What the web app's routes share beyond a request: downloads that go on, what was measured of models, and what is
// known of the machine.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "core/hal/machine_limits.h"
#include "core/scheduler/request.h"
#include "server/app/pull_jobs.h"
#include "server/app/speeds.h"
#include "server/app/surroundings.h"
#include "server/app/welcome.h"
#include "server/stored_models.h"

namespace ingle::assistant {
class ModelPool;
}

namespace ingle::server {

/// For any thread.
class App {
 public:
  using Run = std::function<void(std::function<void()>)>;

  /// `soon` runs what takes moments, `in_background` what takes minutes; `tell` gets an event for the pages. The models
  /// outlive it.
  App(AppSurroundings from, StoredModels& stored, assistant::ModelPool& pool, const Run& soon, Run in_background,
      std::function<void(const base::Json&)> tell);

  const AppSurroundings& surroundings() const { return surroundings_; }
  PullJobs& pulls() { return pulls_; }
  Speeds& speeds() { return speeds_; }
  Welcome& welcome() { return welcome_; }
  const assistant::ModelViewer& viewer() const { return viewer_; }

  /// Bytes that a model could take now, with those of models that would make room.
  uint64_t free_memory() const;
  /// What the machine can do at most, where that is known.
  std::optional<core::MachineLimits> limits() const;
  /// Where it is not, or was measured long ago, and no model is answering, has it measured; the pages are told when it
  /// is. Whether that is going on.
  bool measure_limits();

  /// What an answer says of a model's speed.
  void note_speed(const std::string& model, const core::GenerationStats& stats);

 private:
  const AppSurroundings surroundings_;
  StoredModels& stored_;
  assistant::ModelPool& pool_;
  const Run in_background_;
  const std::function<void(const base::Json&)> tell_;
  PullJobs pulls_;
  Speeds speeds_;
  Welcome welcome_;
  const assistant::ModelViewer viewer_;
  std::atomic<bool> measuring_ = false;
};

/// What speeds are kept of: the same for all names of a file.
std::string speed_key(const store::InstalledModel& model);

}  // namespace ingle::server
