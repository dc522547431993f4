#include "server/app/pull_jobs.h"

#include <algorithm>

#include "base/clock.h"

namespace ingle::server {
namespace {

using base::Json;
using base::Status;

constexpr int64_t kTellEveryMs = 250;

std::string_view name_of(PullJobs::State state) {
  switch (state) {
    case PullJobs::State::waiting:
      return "waiting";
    case PullJobs::State::running:
      return "running";
    case PullJobs::State::paused:
      return "paused";
    case PullJobs::State::failed:
      return "failed";
    case PullJobs::State::done:
      return "done";
    case PullJobs::State::cancelled:
      break;
  }
  return "cancelled";
}

std::string_view name_of(store::Stage stage) {
  switch (stage) {
    case store::Stage::waiting:
      return "waiting";
    case store::Stage::probing:
      return "probing";
    case store::Stage::downloading:
      return "downloading";
    case store::Stage::extracting:
      return "extracting";
    case store::Stage::verifying:
      return "verifying";
    case store::Stage::done:
      break;
  }
  return "done";
}

int64_t now_ms() {
  return base::monotonic_ns() / 1'000'000;
}

}  // namespace

// With mutex_.
Json PullJobs::to_json(const Job& job) {
  return {{"model", job.model},
          {"state", name_of(job.state)},
          {"stage", name_of(job.progress.stage)},
          {"bytes_done", job.progress.bytes_done},
          {"bytes_total", job.progress.bytes_total},
          {"bytes_per_second", job.progress.bytes_per_second},
          {"error", job.error.empty() ? Json() : Json(job.error)}};
}

// With mutex_.
PullJobs::JobPointer PullJobs::find(const std::string& model) const {
  const auto found = std::ranges::find_if(jobs_, [&](const JobPointer& job) { return job->model == model; });
  return found == jobs_.end() ? nullptr : *found;
}

void PullJobs::start(const std::string& model) {
  Json event;
  const auto job = std::make_shared<Job>();
  {
    const std::lock_guard lock(mutex_);
    const JobPointer there = find(model);
    if (there && (there->state == State::waiting || there->state == State::running)) {
      if (!there->stop) return;
      there->wanted = State::waiting;  // it is about to stop, and begins again then
      return;
    }
    job->model = model;
    if (there) job->progress = there->progress;
    job->progress.bytes_per_second = 0;
    jobs_.remove(there);
    jobs_.push_back(job);
    event = {{"type", "pull"}, {"pull", to_json(*job)}};
  }
  tell_(event);
  in_background_([this, job] { run(job); });
}

void PullJobs::run(const JobPointer& job) {
  {
    const std::lock_guard lock(mutex_);
    if (!job->stop) job->state = State::running;
  }
  auto store = stored_.open();
  if (!store) return ended(job, store.error());
  const auto pulled = store->pull(
      job->model, [&](const store::Progress& now) { heard(job, now); },
      [&] { return job->stop || stored_.stopping(); });
  stored_.changed();
  ended(job, pulled ? Status() : Status(pulled.error()));
}

void PullJobs::heard(const JobPointer& job, const store::Progress& progress) {
  Json event;
  {
    const std::lock_guard lock(mutex_);
    const bool same_stage = job->progress.stage == progress.stage;
    job->progress = progress;
    if (same_stage && now_ms() - job->told_ms < kTellEveryMs) return;
    job->told_ms = now_ms();
    event = {{"type", "pull"}, {"pull", to_json(*job)}};
  }
  tell_(event);
}

void PullJobs::ended(const JobPointer& job, const Status& outcome) {
  // What came last was not told, as progress is not told of each piece.
  uint64_t part = 0;
  if (!outcome)
    if (const auto store = stored_.open()) part = store->partial_bytes(job->model);
  Json event;
  bool again = false, discard = false;
  {
    const std::lock_guard lock(mutex_);
    const bool stopped = !outcome && outcome.error().code == base::ErrorCode::cancelled;
    job->progress.bytes_per_second = 0;
    if (part > 0) job->progress.bytes_done = part;
    if (outcome) {
      job->state = State::done;
    } else if (!stopped) {
      job->state = State::failed;
      job->error = outcome.error().message;
    } else {
      job->state = job->wanted == State::cancelled ? State::cancelled : State::paused;
      again = job->wanted == State::waiting;
    }
    discard = !outcome && job->wanted == State::cancelled;
    if (discard) job->state = State::cancelled;
    if (job->state == State::done || job->state == State::cancelled) jobs_.remove(job);
    event = {{"type", "pull"}, {"pull", to_json(*job)}};
  }
  if (discard)
    if (auto store = stored_.open()) static_cast<void>(store->discard_partial(job->model));
  tell_(event);
  if (outcome || discard) tell_({{"type", "models"}});
  if (again) start(job->model);
}

bool PullJobs::pause(const std::string& model) {
  const std::lock_guard lock(mutex_);
  const JobPointer job = find(model);
  if (!job || (job->state != State::waiting && job->state != State::running)) return false;
  job->wanted = State::paused;
  job->stop = true;
  return true;
}

Status PullJobs::cancel(const std::string& model) {
  {
    const std::lock_guard lock(mutex_);
    const JobPointer job = find(model);
    if (job && (job->state == State::waiting || job->state == State::running)) {
      job->wanted = State::cancelled;
      job->stop = true;
      return {};  // its end removes the part
    }
    if (job) jobs_.remove(job);
  }
  INGLE_TRY(auto store, stored_.open());
  INGLE_CHECK(store.discard_partial(model));
  tell_({{"type", "pull"}, {"pull", {{"model", model}, {"state", "cancelled"}}}});
  tell_({{"type", "models"}});
  return {};
}

Json PullJobs::list() const {
  const std::lock_guard lock(mutex_);
  Json list = Json::array();
  for (const JobPointer& job : jobs_) list.push_back(to_json(*job));
  return list;
}

}  // namespace ingle::server
