#include "server/api/answer.h"

#include <algorithm>
#include <utility>

#include "server/app/app.h"

namespace ingle::server {
namespace {

class Answer : public std::enable_shared_from_this<Answer> {
 public:
  Answer(const Call& call, assistant::ModelService& model, size_t choices, std::unique_ptr<AnswerFormat> format,
         bool stream)
      : call_(call), model_(model), format_(std::move(format)), stream_(stream), choices_(choices) {
    for (size_t i = 0; i < choices; ++i) choices_[i].index = i;
  }

  void submit(std::vector<assistant::GenerationRequest> requests) {
    for (size_t i = 0; i < requests.size(); ++i) {
      auto id = model_.generate(std::move(requests[i]), [self = shared_from_this(), i](core::GenerationEvent&& event) {
        self->heard(i, std::move(event));
      });
      if (!id) {
        ApiError error = api_error(id.error());
        if (error.status == 429) error.retry_after_s = stats_of(model_).retry_after_s;
        return fail(error);
      }
      const std::lock_guard lock(mutex_);
      ids_.push_back(*id);
    }
    call_.submitted();
    if (stream_) {
      const std::lock_guard lock(mutex_);
      begin();
    }
    call_.exchange->on_gone([self = shared_from_this()] { self->cancel(); });
  }

 private:
  void begin() {
    if (std::exchange(begun_, true)) return;
    HttpResponse response = call_.response(std::string(stream_type(call_.family)));
    response.body = format_->begin();
    call_.exchange->begin(std::move(response), format_->ping());
  }

  // Events come one after the other, from the model's thread. What is written is written without the lock: where the
  // reader is too slow, that calls cancel().
  void heard(size_t index, core::GenerationEvent&& event) {
    if (event.error) return fail(api_error(*event.error));
    std::string piece;
    bool ended = false;
    {
      const std::lock_guard lock(mutex_);
      if (failed_) return;
      Choice& choice = choices_[index];
      choice.text += event.text;
      choice.steps.push_back({choice.text.size(), event.token_count});
      choice.tokens.insert(choice.tokens.end(), event.tokens.begin(), event.tokens.end());
      choice.finished = event.finished;
      choice.stopped_by = event.stopped_by;
      choice.stats = event.stats;
      ended = event.finished && ++ended_ == choices_.size();
      if (ended && choices_.size() == 1 && call_.app != nullptr) call_.app->note_speed(model_.name(), event.stats);
      if (stream_) {
        begin();
        piece = format_->piece(choice, event);
        if (ended) piece += format_->end(choices_);
      } else if (ended) {
        call_.respond(format_->whole(choices_));
      }
    }
    if (!stream_) return;
    if (!piece.empty()) call_.exchange->write(piece);
    if (ended) call_.exchange->end();
  }

  void fail(const ApiError& error) {
    std::string piece;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(failed_, true)) return;
      if (begun_) {
        piece = format_->failed(error);
      } else {
        call_.fail(error);
      }
    }
    if (!piece.empty()) call_.exchange->write(piece);
    call_.exchange->end();
    cancel();
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    for (const core::RequestId id : ids_) model_.cancel(id);
  }

  Call call_;
  assistant::ModelService& model_;
  const std::unique_ptr<AnswerFormat> format_;
  const bool stream_;
  std::mutex mutex_;  ///< of all below and of format_
  std::vector<Choice> choices_;
  std::vector<core::RequestId> ids_;
  size_t ended_ = 0;
  bool begun_ = false, failed_ = false;
};

}  // namespace

void answer(Call& call, assistant::ModelService& model, std::vector<assistant::GenerationRequest> requests,
            std::unique_ptr<AnswerFormat> format, bool stream) {
  std::make_shared<Answer>(call, model, requests.size(), std::move(format), stream)->submit(std::move(requests));
}

std::string sse(const base::Json& json) {
  return "data: " + to_text(json) + "\n\n";
}

base::Json timings_json(const assistant::ModelService& model, const core::GenerationStats& stats) {
  const core::EngineInfo& info = model.info();
  const auto rate = [](uint32_t tokens, double ms) { return ms > 0 ? tokens * 1000 / ms : 0.0; };
  const uint32_t computed = stats.prompt_tokens - stats.cached_tokens;
  const uint32_t decoded = stats.generated_tokens > 0 ? stats.generated_tokens - 1 : 0;
  return {{"queue_ms", stats.queue_ms},
          {"prompt_n", computed},
          {"cache_n", stats.cached_tokens},
          {"prompt_ms", stats.prefill_ms},
          {"prompt_per_second", rate(computed, stats.prefill_ms)},
          {"predicted_n", stats.generated_tokens},
          {"predicted_ms", stats.decode_ms},
          {"predicted_per_second", rate(decoded, stats.decode_ms)},
          {"draft_n", stats.proposed_tokens},
          {"draft_n_accepted", stats.taken_tokens},
          {"preemptions", stats.preemptions},
          {"device", "cpu"},
          {"isa", info.isa},
          {"threads", info.threads},
          {"weight_bytes", info.weight_bytes},
          {"streamed_bytes", info.streamed_bytes},
          {"state_bytes", stats.state_bytes}};
}

base::Json usage_json(const std::vector<Choice>& choices) {
  uint32_t prompt = 0, cached = 0, generated = 0;
  for (const Choice& choice : choices) {
    prompt = choice.stats.prompt_tokens;  // one prompt, however many answers
    generated += choice.stats.generated_tokens;
    if (choice.index == 0) cached = choice.stats.cached_tokens;
  }
  return {{"prompt_tokens", prompt},
          {"completion_tokens", generated},
          {"total_tokens", prompt + generated},
          {"prompt_tokens_details", {{"cached_tokens", cached}}}};
}

}  // namespace ingle::server
