// Shares an encoder among many: texts of several requests go into one pass, and clients get equal shares of what is
// computed, whatever number of texts each has sent.
//
//   EmbeddingQueue queue(*engine, {});
//   auto id = queue.submit(request, [](EmbeddingResult&& result) { … });   // from any thread
//   while (queue.wait()) queue.step();                                    // of one thread, which owns the engine
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/scheduler/request.h"
#include "core/scheduler/scheduler.h"

namespace ingle::core {

/// A text's tokens with the special ones; `second`: where the second text of a pair begins.
struct EmbeddingText {
  std::vector<TokenId> tokens;
  size_t second = ~size_t{0};
};

struct EmbeddingRequest {
  std::vector<EmbeddingText> texts;
  std::string client;  ///< those of one client share its part of the machine
  Priority priority = Priority::interactive;
};

struct EmbeddingStats {
  uint64_t tokens = 0;
  double queue_ms = 0, compute_ms = 0;  ///< until the first pass; from then on
};

struct EmbeddingResult {
  std::vector<float> embeddings;  ///< [texts][EngineInfo::embedding_width]
  std::optional<base::Error> error;
  EmbeddingStats stats;
};

/// Texts in one pass at most.
inline constexpr size_t kMostEmbeddingTexts = 64;

/// Called by the thread that runs the queue, which waits for it: it hands the result on and returns.
using EmbeddingSink = std::function<void(EmbeddingResult&&)>;

class EmbeddingQueue {
 public:
  /// The engine outlives it, and nobody else uses it meanwhile. Of the options max_waiting counts.
  EmbeddingQueue(Engine& engine, const SchedulerOptions& options);
  ~EmbeddingQueue();

  /// From any thread. Errors: unsupported (the engine is no encoder); limit_exceeded (a text is longer than the
  /// context; says both numbers); invalid_argument (a text without tokens, a token out of range); busy (too many wait,
  /// or it is closed).
  base::Result<RequestId> submit(EmbeddingRequest request, EmbeddingSink sink);
  /// From any thread: ends it before the next pass, with the error `cancelled`. Ids of the past are ignored.
  void cancel(RequestId id);
  void cancel_all();
  /// From any thread.
  SchedulerStats stats() const;
  /// From any thread: takes no more requests. wait() says false once the last one has ended.
  void close();

  /// Waits until there is something to do. False: it is closed, and all is done.
  bool wait();
  /// One pass. False: there was nothing to do.
  bool step();

 private:
  struct Job;
  using Jobs = std::list<std::unique_ptr<Job>>;
  struct Part {
    Job* job;
    size_t text;
  };

  std::vector<Part> choose_parts();
  void take_mail();
  void finish(Job& job, std::optional<base::Error> error);

  Engine& engine_;
  const SchedulerOptions options_;
  Jobs jobs_;                             ///< of the running thread
  std::map<std::string, double> served_;  ///< tokens that each client with jobs has had

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Jobs arrived_;  ///< guarded by mutex_, as all below
  std::vector<RequestId> cancelled_;
  bool all_cancelled_ = false;
  size_t open_ = 0;  ///< requests that have not ended
  SchedulerStats stats_;
  RequestId next_id_ = 1;
  bool closed_ = false;
};

}  // namespace ingle::core
