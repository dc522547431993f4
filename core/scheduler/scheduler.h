// Decides which sequences the engine computes next, so that many requests share one model: continuous batching. Every
// pass takes the next token of each answer in progress and, in the rows that are left, a piece of the prompts that
// wait; requests come and go between passes.
//
//   Scheduler scheduler(*engine, {});
//   auto id = scheduler.submit(request, [](GenerationEvent&& event) { … });   // from any thread
//   while (scheduler.wait()) scheduler.step();                               // of one thread, which owns the engine
//
// - Interactive requests go first; while there are any, background ones run in one pass of several.
// - Clients get equal shares of what is computed, whatever number of requests each has: who has had least comes first.
// - An answer that runs alone is computed with tokens that followed the same words before, where that pays
//   (core/engine/speculation.h).
// - Memory for tokens is promised in pieces before it is used. Where none is left, kept prefixes go first, then the
//   request that came last gives its own up, waits, and is computed again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/scheduler/idle_preload.h"
#include "core/scheduler/observer.h"
#include "core/scheduler/pace.h"
#include "core/scheduler/prefix_cache.h"
#include "core/scheduler/prefix_files.h"
#include "core/scheduler/request.h"

namespace ingle::core {

struct SchedulerOptions {
  uint32_t max_running = 32;   ///< sequences in a pass
  uint32_t max_waiting = 256;  ///< requests that wait for one of these places; more are refused
  uint32_t kept_prefixes = 64;
  std::vector<std::filesystem::path> prefix_files;  ///< where they are kept between runs (prefix_files.h)
  uint64_t prefix_file_bytes = 0;                   ///< the most that those may take together
  uint64_t state_bytes = 0;     ///< the most that all sequences may take; 0: half of the memory that is free now
  bool preload = true;          ///< brings weights back into memory while there is nothing to do
  bool lookup = true;           ///< an answer that is alone is computed with what followed the same tokens before
  bool always_look_up = false;  ///< … whether it pays or not, to test
  double pass_ms = 100;         ///< a pass takes about so long at most while answers are in progress
  double lone_pass_ms = 400;    ///< … and while there are none, for whoever comes next
};

/// A moment's state, for reports.
struct SchedulerStats {
  uint32_t running = 0, waiting = 0, kept_prefixes = 0;
  uint64_t state_bytes = 0, state_limit_bytes = 0;
  uint64_t submitted = 0, finished = 0, failed = 0, cancelled = 0, refused = 0, preempted = 0;
  uint64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0, passes = 0;
  uint64_t proposed_tokens = 0, taken_tokens = 0;  ///< computed by speculation, and of these became part of an answer
  double retry_after_s = 1;  ///< 1 to 60: when those that wait now have had their turn, by how fast the last ones ended
};

class Scheduler {
 public:
  /// The engine outlives it, and nobody else uses it meanwhile.
  Scheduler(Engine& engine, const SchedulerOptions& options);
  ~Scheduler();

  /// From any thread. Errors: limit_exceeded (the prompt does not fit the context, or no memory could ever hold it),
  /// invalid_argument (no prompt, a token out of range, sampling), busy (too many wait, or it is closed).
  base::Result<RequestId> submit(GenerationRequest request, EventSink sink);
  /// From any thread: ends it before the next pass, with StopReason::cancelled. Ids of the past are ignored.
  void cancel(RequestId id);
  void cancel_all();
  /// From any thread.
  SchedulerStats stats() const;
  /// From any thread: takes no more requests. wait() says false once the last one has ended.
  void close();
  /// From any thread: how much of the machine it may take from now on. Threads change at once, the rest before the next
  /// pass. No text depends on it.
  void set_pace(const Pace& pace);
  /// From any thread: drops what was kept for a principal, in memory and in files, before the next pass. What their
  /// requests compute that are here now is not kept either.
  void forget(std::string principal);

  // What is seen of an answer that was asked for with ObservationOptions: by its key, from any thread but that which
  // runs the scheduler. They wait until the current pass is over. Errors: not_found (nothing is kept of it, or not of
  // that token), unavailable (it is closed), as the Inspector's.
  /// Of the pass that chose the generated token number `token`.
  base::Result<std::vector<LensLayer>> lens(uint64_t key, uint32_t token, uint32_t count);
  base::Result<AttentionWeights> attention(uint64_t key, uint32_t token, uint32_t layer);
  base::Result<std::string> timeline(uint64_t key);
  base::Result<MemoryMap> memory_map();

  /// Waits until there is something to do, and, where the pace has pauses, until the last pass's is over. Meanwhile it
  /// writes kept prefixes to their files, reads those of before into memory, and sees to it that the weights stay
  /// there, if SchedulerOptions::preload. False: it is closed, and all is done.
  bool wait();
  /// One pass, with what comes before and after it. False: there was nothing to do.
  bool step();

 private:
  struct Job;
  using Jobs = std::list<std::unique_ptr<Job>>;
  /// A principal, and the first request of theirs that is kept again.
  struct Forgotten {
    std::string principal;
    RequestId next;
  };
  struct Part {
    Job* job;
    uint32_t tokens;
  };
  /// What a pass computed: rows of logits or, of `best_count` != 0, of the best of them.
  struct Rows {
    std::span<float> logits;
    std::span<const TokenLogit> best;
    uint32_t best_count = 0, vocabulary_size = 0;
    size_t number = 0;  ///< of row(): which it is

    Rows row(size_t index) const;
  };

  template <typename Answer>
  base::Result<Answer> ask(const std::function<base::Result<Answer>()>& question);
  base::Result<const Sequence*> sequence_of(const Recording& recording) const;
  void rest(std::unique_lock<std::mutex>& lock);
  void use_idle_time();
  bool save_prefix();
  bool preload_prefix();
  void load_prefix(size_t file);
  void restore_prefix(Job& job);
  void take_mail();
  void change_pace(const Pace& pace);
  void admit();
  bool follows_another(const Job& job) const;
  bool start(Job& job);
  bool reserve(Job& job);
  uint64_t promised_bytes(const Job& job) const;
  Job* find_victim(const Job& job);
  bool is_running_before(const Job& job, const Job& other) const;
  void preempt(Job& job);
  std::vector<Part> choose_parts();
  uint32_t rows_for_prompts(size_t answers) const;
  void run(const std::vector<Part>& parts);
  void watch(const std::vector<Part>& parts);
  void propose(Job& job);
  base::Result<Rows> compute(std::span<const SequenceTokens> batch, uint32_t best_count);
  void advance(const Part& part, const Rows& row);
  void advance_alone(Job& job, const Rows& rows);
  void take_back(Job& job);
  TokenId choose(Job& job, const Rows& row, std::span<const float> untouched, std::optional<uint32_t> allowed);
  uint32_t mask(Job& job, std::span<float> logits);
  void keep_prefix(Job& job);
  void finish(Job& job, StopReason reason);
  void fail(Job& job, base::Error error);
  void remove_ended();
  double least_served() const;
  void measure_ends();
  double retry_after() const;
  void count_end(uint64_t SchedulerStats::* which);
  void update_stats();

  Engine& engine_;
  const SchedulerOptions options_;
  const uint64_t state_limit_;
  PrefixCache prefixes_;
  PrefixFiles prefix_files_;
  Observer observer_;
  Jobs running_, waiting_;
  std::map<std::string, double> served_;  ///< tokens that each client has had
  uint64_t pass_ = 0;
  std::vector<TokenId> proposed_;  ///< of the current pass: the next token of the only answer, and what may follow it
  std::vector<uint32_t> mask_;
  Pace pace_;               ///< as of the current pass
  double rows_per_ms_ = 0;  ///< of prompts, lately; 0: not known
  double end_seconds_ = 0;  ///< between passes in which requests ended while others waited, lately
  double end_jobs_ = 0;     ///< that had a place and ended in such a pass, lately
  double last_end_ = 0;     ///< seconds of the steady clock; 0: nobody waited then
  uint64_t left_ = 0;       ///< requests that had a place and ended, since the last pass
  IdlePreload idle_;
  double pass_seconds_ = 0, pass_end_ = 0;  ///< of the last pass: what it took, and when it was over
  uint32_t pass_rows_ = 0, pass_sequences_ = 0;
  double pass_cost_ms_ = 0;  ///< … what looking at it cost
  SchedulerStats counted_;   ///< as the running thread counts

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Jobs arrived_;  ///< guarded by mutex_, as all below
  std::vector<RequestId> cancelled_;
  bool all_cancelled_ = false;
  Pace next_pace_;
  std::vector<Forgotten> forgotten_;
  std::vector<std::function<void()>> questions_;
  SchedulerStats stats_;
  RequestId next_id_ = 1;
  bool closed_ = false;
};

}  // namespace ingle::core
