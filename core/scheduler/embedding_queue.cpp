#include "core/scheduler/embedding_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

struct EmbeddingQueue::Job {
  RequestId id = 0;
  EmbeddingRequest request;
  EmbeddingSink sink;
  EmbeddingResult result;
  size_t started = 0;  ///< texts
  double submitted_ms = 0, started_ms = 0;
};

EmbeddingQueue::EmbeddingQueue(Engine& engine, const SchedulerOptions& options) : engine_(engine), options_(options) {}

EmbeddingQueue::~EmbeddingQueue() = default;

base::Result<RequestId> EmbeddingQueue::submit(EmbeddingRequest request, EmbeddingSink sink) {
  auto job = std::make_unique<Job>();
  for (const EmbeddingText& text : request.texts) {
    INGLE_CHECK(engine_.check_text({text.tokens, text.second}));
    job->result.stats.tokens += text.tokens.size();
  }
  if (!engine_.info().is_encoder()) return Error{ErrorCode::unsupported, "the model makes no embeddings"};
  if (request.texts.empty()) return Error{ErrorCode::invalid_argument, "there is no text to embed"};
  job->request = std::move(request);
  job->sink = std::move(sink);
  job->submitted_ms = now_ms();
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{ErrorCode::busy, "the model takes no more requests"};
  if (open_ > options_.max_waiting) {
    ++stats_.refused;
    return Error{ErrorCode::busy, std::to_string(open_ - 1) + " requests wait for the model; try again later"};
  }
  ++stats_.submitted;
  ++open_;
  const RequestId id = job->id = next_id_++;
  arrived_.push_back(std::move(job));
  changed_.notify_one();
  return id;
}

void EmbeddingQueue::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  cancelled_.push_back(id);
  changed_.notify_one();
}

void EmbeddingQueue::cancel_all() {
  const std::lock_guard lock(mutex_);
  all_cancelled_ = true;
  changed_.notify_one();
}

SchedulerStats EmbeddingQueue::stats() const {
  const std::lock_guard lock(mutex_);
  SchedulerStats stats = stats_;
  stats.waiting = static_cast<uint32_t>(open_);
  return stats;
}

void EmbeddingQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

bool EmbeddingQueue::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_ > 0 || closed_; });
  return open_ > 0;
}

bool EmbeddingQueue::step() {
  take_mail();
  const std::vector<Part> parts = choose_parts();
  if (parts.empty()) return false;
  std::vector<EncoderText> texts;
  uint64_t tokens = 0;
  for (const Part& part : parts) {
    const EmbeddingText& text = part.job->request.texts[part.text];
    texts.push_back({text.tokens, text.second});
    tokens += text.tokens.size();
    served_[part.job->request.client] += static_cast<double>(text.tokens.size());
  }
  const auto embeddings = engine_.embed(texts);
  {
    const std::lock_guard lock(mutex_);
    ++stats_.passes;
    stats_.prompt_tokens += tokens;
  }
  const size_t width = engine_.info().embedding_width;
  for (size_t i = 0; i < parts.size(); ++i) {
    Job& job = *parts[i].job;
    if (embeddings.ok()) {
      const auto vector = embeddings->subspan(i * width, width);
      job.result.embeddings.insert(job.result.embeddings.end(), vector.begin(), vector.end());
    }
    const bool last_here = i + 1 == parts.size() || parts[i + 1].job != &job;
    if (!last_here) continue;
    if (!embeddings.ok())
      finish(job, embeddings.error());
    else if (job.started == job.request.texts.size())
      finish(job, std::nullopt);
  }
  std::erase_if(jobs_, [](const auto& job) { return job->sink == nullptr; });
  std::erase_if(served_, [this](const auto& client) {
    return std::ranges::none_of(jobs_, [&](const auto& job) { return job->request.client == client.first; });
  });
  return true;
}

// As many texts as one pass holds: of the job whose client has had least, then of the next one. Background jobs fill
// what interactive ones leave.
std::vector<EmbeddingQueue::Part> EmbeddingQueue::choose_parts() {
  std::vector<Job*> order;
  for (const auto& job : jobs_) order.push_back(job.get());
  std::ranges::sort(order, [this](const Job* a, const Job* b) {
    if (a->request.priority != b->request.priority) return a->request.priority < b->request.priority;
    const double served_a = served_[a->request.client], served_b = served_[b->request.client];
    return served_a != served_b ? served_a < served_b : a->id < b->id;
  });
  std::vector<Part> parts;
  size_t rows = 0;
  for (Job* job : order) {
    for (; job->started < job->request.texts.size(); ++job->started) {
      const size_t more = job->request.texts[job->started].tokens.size();
      if (!parts.empty() && (rows + more > engine_.info().batch || parts.size() == kMostEmbeddingTexts)) return parts;
      if (job->started_ms == 0) job->started_ms = now_ms();
      rows += more;
      parts.push_back({job, job->started});
    }
  }
  return parts;
}

void EmbeddingQueue::take_mail() {
  std::vector<RequestId> cancelled;
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    // Whoever comes new has had as much as who has had least, so that nobody waits for the past.
    double least = 0;
    for (const auto& [client, tokens] : served_) least = least == 0 ? tokens : std::min(least, tokens);
    for (const auto& job : arrived_) served_.try_emplace(job->request.client, least);
    jobs_.splice(jobs_.end(), arrived_);
    cancelled.swap(cancelled_);
    all = std::exchange(all_cancelled_, false);
  }
  for (const auto& job : jobs_)
    if (all || std::ranges::find(cancelled, job->id) != cancelled.end())
      finish(*job, Error{ErrorCode::cancelled, "cancelled"});
  std::erase_if(jobs_, [](const auto& job) { return job->sink == nullptr; });
}

void EmbeddingQueue::finish(Job& job, std::optional<Error> error) {
  const double now = now_ms(), started = job.started_ms == 0 ? now : job.started_ms;
  job.result.stats.queue_ms = started - job.submitted_ms;
  job.result.stats.compute_ms = now - started;
  {
    const std::lock_guard lock(mutex_);
    --open_;
    if (!error)
      ++stats_.finished;
    else
      ++(error->code == ErrorCode::cancelled ? stats_.cancelled : stats_.failed);
  }
  if (error) job.result.embeddings.clear();
  job.result.error = std::move(error);
  std::exchange(job.sink, nullptr)(std::move(job.result));
}

}  // namespace ingle::core
