// What the scheduler is asked of answers that somebody looks at: its own thread answers, between two passes.
#include <future>
#include <memory>
#include <utility>

#include "core/scheduler/scheduler.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;
using base::Result;

template <typename Answer>
Result<Answer> Scheduler::ask(const std::function<Result<Answer>()>& question) {
  const auto promise = std::make_shared<std::promise<Result<Answer>>>();
  auto answer = promise->get_future();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Error{ErrorCode::unavailable, "the model is being closed"};
    questions_.push_back([promise, &question] { promise->set_value(question()); });
    changed_.notify_all();
  }
  return answer.get();
}

Result<std::vector<LensLayer>> Scheduler::lens(uint64_t key, uint32_t token, uint32_t count) {
  return ask<std::vector<LensLayer>>([&]() -> Result<std::vector<LensLayer>> {
    INGLE_TRY(const auto recording, observer_.find(key));
    INGLE_TRY(const auto layers, recording->layers(token));
    return engine_.inspector()->lens(layers, recording->token(token), count);
  });
}

Result<AttentionWeights> Scheduler::attention(uint64_t key, uint32_t token, uint32_t layer) {
  return ask<AttentionWeights>([&]() -> Result<AttentionWeights> {
    INGLE_TRY(const auto recording, observer_.find(key));
    INGLE_TRY(const auto layers, recording->layers(token));
    INGLE_TRY(const Sequence* sequence, sequence_of(*recording));
    return engine_.inspector()->attention(*sequence, layers, recording->position(token), layer);
  });
}

Result<std::string> Scheduler::timeline(uint64_t key) {
  return ask<std::string>([&]() -> Result<std::string> {
    INGLE_TRY(const auto recording, observer_.find(key));
    if (recording->timeline.empty())
      return Error{ErrorCode::not_found, "of that answer, no timeline is kept (any more)"};
    return recording->timeline;
  });
}

Result<MemoryMap> Scheduler::memory_map() {
  return ask<MemoryMap>([&]() -> Result<MemoryMap> {
    if (engine_.inspector() == nullptr)
      return Error{ErrorCode::unsupported, "the model is an encoder, which keeps nothing of what it reads"};
    return engine_.inspector()->memory_map();
  });
}

}  // namespace ingle::core
