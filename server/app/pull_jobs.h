// Models that are being fetched for the app's pages. A pull goes on when the page that asked for it is closed, and
// every page sees how far it is, by the events. A paused one keeps its part on disk, also across restarts
// (store/store.h).
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/json.h"
#include "server/stored_models.h"

namespace ingle::server {

/// For any thread. It outlives what it runs in the background.
class PullJobs {
 public:
  enum class State : uint8_t { waiting, running, paused, failed, done, cancelled };

  /// `in_background` runs what takes minutes, `tell` gets an event for the pages. `stored` outlives it.
  PullJobs(StoredModels& stored, std::function<void(std::function<void()>)> in_background,
           std::function<void(const base::Json&)> tell)
      : stored_(stored), in_background_(std::move(in_background)), tell_(std::move(tell)) {}

  /// Begins a pull, or goes on with a paused or failed one; one that runs goes on.
  void start(const std::string& model);
  /// Stops it and keeps its part. False: it does not run.
  bool pause(const std::string& model);
  /// Stops it and removes its part, also that of an earlier server. Errors: as Store::discard_partial.
  base::Status cancel(const std::string& model);
  /// Those that run, are paused or have failed, the first one first.
  base::Json list() const;

 private:
  struct Job {
    std::string model;
    State state = State::waiting;
    store::Progress progress;
    std::string error;
    State wanted = State::running;  ///< or paused, cancelled: how it is to end
    std::atomic<bool> stop = false;
    int64_t told_ms = 0;
  };
  using JobPointer = std::shared_ptr<Job>;

  void run(const JobPointer& job);
  void heard(const JobPointer& job, const store::Progress& progress);
  void ended(const JobPointer& job, const base::Status& outcome);
  void forget(const JobPointer& job);
  JobPointer find(const std::string& model) const;
  static base::Json to_json(const Job& job);

  StoredModels& stored_;
  const std::function<void(std::function<void()>)> in_background_;
  const std::function<void(const base::Json&)> tell_;
  mutable std::mutex mutex_;  ///< of all below
  std::list<JobPointer> jobs_;
};

}  // namespace ingle::server
