#include "core/scheduler/observer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/sampling/distribution.h"

namespace ingle::core {
namespace {

constexpr size_t kKept = 2;  // answers: each may take ObservationOptions::layer_bytes

GeneratedToken told(const Tokenizer& tokenizer, const Distribution& distribution, TokenId token, size_t likeliest) {
  const auto of = [&](TokenId id) -> TokenLogprob {
    return {id, tokenizer.token_bytes(id, true), distribution.logprob(id)};
  };
  GeneratedToken result{of(token), {}};
  for (const TokenLogit& each : distribution.best(likeliest)) result.likeliest.push_back(of(each.id));
  return result;
}

}  // namespace

GeneratedToken with_logprobs(const Tokenizer& tokenizer, std::span<const float> logits, TokenId token,
                             size_t likeliest) {
  return told(tokenizer, Distribution(logits), token, likeliest);
}

std::shared_ptr<Recording> Observer::begin(const ObservationOptions& options, uint32_t prompt_tokens) {
  if (options.key == 0) return nullptr;
  Inspector* const inspector = engine_.inspector();
  const size_t floats = inspector == nullptr || options.layer_bytes == 0 ? 0 : inspector->layer_floats();
  auto recording = std::make_shared<Recording>(options, prompt_tokens, floats);
  std::erase_if(recordings_, [&](const auto& other) { return other->key() == options.key; });
  recordings_.push_back(recording);
  if (recordings_.size() > kKept) recordings_.pop_front();
  if (options.timeline_bytes != 0 && timeline_ == 0 && inspector != nullptr &&
      inspector->start_timeline(options.timeline_bytes).ok())
    timeline_ = options.key;
  return recording;
}

void Observer::end(Recording& recording, const Sequence* sequence) {
  if (timeline_ == recording.key()) {
    timeline_ = 0;
    engine_.inspector()->stop_timeline();
    // One at a time, as they are large.
    for (const auto& other : recordings_) other->timeline.clear();
    recording.timeline = engine_.inspector()->timeline();
  }
  if (sequence == nullptr || !recording.first_kept()) return;
  if (auto fork = sequence->fork()) recording.keep(std::move(fork).value());
}

bool Observer::drop_sequence() {
  const auto found =
      std::ranges::find_if(recordings_, [](const auto& recording) { return recording->sequence() != nullptr; });
  if (found == recordings_.end()) return false;
  (*found)->drop_sequence();
  return true;
}

base::Result<std::shared_ptr<Recording>> Observer::find(uint64_t key) const {
  const auto found = std::ranges::find(recordings_, key, [](const auto& recording) { return recording->key(); });
  if (found == recordings_.end())
    return base::Error{base::ErrorCode::not_found, "of that answer, nothing is kept (any more)"};
  return *found;
}

void Observer::forget_pass() {
  results_.clear();
  rows_.clear();
}

void Observer::watch(size_t result, uint32_t row) {
  results_.push_back(result);
  rows_.push_back(row);
}

void Observer::begin_pass() {
  if (rows_.empty()) return;
  layers_.resize(rows_.size() * engine_.inspector()->layer_floats());
  engine_.inspector()->observe_next(rows_, layers_.data());
}

double Observer::pass_cost_ms() const {
  return engine_.inspector() == nullptr ? 0 : engine_.inspector()->observing_seconds() * 1000;
}

ObservedToken Observer::choose(Sampler& sampler, std::span<const float> logits, std::span<float> masked,
                               std::optional<uint32_t> allowed, const ObservationOptions& options) {
  ObservedToken observed;
  const Distribution distribution(logits);
  const double masked_log_sum = allowed ? Distribution(masked).log_sum() : 0;
  const TokenId token = sampler.explain(masked, observed.steps);
  static_cast<GeneratedToken&>(observed) = told(engine_.tokenizer(), distribution, token, options.alternatives);
  observed.rank = distribution.rank(token);
  observed.entropy = static_cast<float>(distribution.entropy());
  observed.allowed = allowed;
  if (allowed) {
    const double logprob = double{logits[static_cast<size_t>(token)]} - masked_log_sum;
    observed.steps.insert(observed.steps.begin(), {"grammar", *allowed, static_cast<float>(std::exp(logprob))});
  }
  return observed;
}

void Observer::add(Recording& recording, size_t result, TokenId token) {
  const auto found = std::ranges::find(results_, result);
  if (found != results_.end()) {
    const size_t floats = layers_.size() / results_.size();
    const auto row = std::span(layers_).subspan(static_cast<size_t>(found - results_.begin()) * floats, floats);
    if (float* const to = recording.next_layers()) std::ranges::copy(row, to);
  }
  recording.add(token);
}

}  // namespace ingle::core
