#include "core/scheduler/scheduler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "core/engine/speculation.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;

constexpr uint32_t kPromised = 256;         // tokens that memory is promised for at a time
constexpr uint32_t kFewestPromptRows = 16;  // of a pass: fewer would cost more passes than they save waiting
constexpr uint32_t kPromptTurn = 2048;      // tokens of a prompt before others have theirs
constexpr uint64_t kBackgroundTurn = 8;     // passes in which background work has one beside interactive work
constexpr double kSmoothing = 0.25;         // weight of the latest measurement
constexpr double kEndSmoothing = 0.06;      // … of when requests end, which often is at the same time
constexpr double kMostRest = 0.9;           // of the time
constexpr double kLongestRest = 0.25;       // seconds
constexpr double kLastSeconds = 2;          // for writing prefixes at the end

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void smooth(double& average, double latest, double weight = kSmoothing) {
  average += average == 0 ? latest : (latest - average) * weight;
}

}  // namespace

struct Scheduler::Job {
  Job(RequestId number, GenerationRequest asked, EventSink to, const Tokenizer& tokenizer)
      : id(number),
        request(std::move(asked)),
        sink(std::move(to)),
        owner(prefix_owner(request.principal)),
        text(request.prompt),
        reply(tokenizer, request.reply),
        leaves_prefixes(request.keep_prefix),
        arrived(seconds_now()) {
    if (request.constraint) matcher.emplace(request.constraint);
  }

  uint32_t held() const { return sequence ? sequence->length() - ahead : 0; }
  /// Tokens of the text that were not computed yet.
  uint32_t pending() const { return static_cast<uint32_t>(text.size()) - held(); }
  bool interactive() const { return request.priority == Priority::interactive; }
  bool in_prompt() const { return stats.generated_tokens == 0; }

  /// Hands on what is new, if anything is.
  void emit() {
    if (event.text.empty() && event.tokens.empty() && event.observed.empty() && event.token_count == 0 &&
        !event.started && !event.finished && !event.error)
      return;
    event.stats = stats;
    sink(std::exchange(event, {}));
  }

  const RequestId id;
  const GenerationRequest request;
  const EventSink sink;
  const std::string owner;    ///< of the prefixes that it uses and leaves
  std::vector<TokenId> text;  ///< the prompt and what was generated
  Reply reply;
  std::unique_ptr<Sampler> sampler;
  std::optional<Matcher> matcher;
  std::unique_ptr<Sequence> sequence;  ///< null while it waits
  uint32_t ahead = 0;  ///< proposed tokens that it holds behind those of the text, in the middle of a pass
  std::unique_ptr<Speculation> speculation;  ///< null: it has not been alone yet
  bool looks_up = true;                      ///< false: there was no memory for more than one row
  uint32_t best = 0;                         ///< logits that the sampler looks at; 0: all
  uint32_t promised = 0;                     ///< tokens that there is memory for
  bool looked_on_disk = false;               ///< for its prefix
  bool leaves_prefixes;                      ///< for later requests
  std::shared_ptr<Recording> recording;      ///< null: nobody looks
  bool ended = false;
  double arrived, begun = 0, answered = 0;  ///< seconds of the steady clock; begun: with a place
  GenerationEvent event;
  GenerationStats stats;
};

Scheduler::Scheduler(Engine& engine, const SchedulerOptions& options)
    : engine_(engine),
      options_(options),
      state_limit_(options.state_bytes != 0 ? options.state_bytes : available_memory() / 2),
      prefixes_(options.kept_prefixes, engine.info().windowed),
      prefix_files_(engine, options.prefix_files, options.prefix_file_bytes),
      observer_(engine) {
  idle_.worked(seconds_now());
  counted_.state_limit_bytes = state_limit_;
  stats_ = counted_;
}

Scheduler::~Scheduler() = default;

base::Result<RequestId> Scheduler::submit(GenerationRequest request, EventSink sink) {
  const size_t tokens = request.prompt.size();
  const EngineInfo& info = engine_.info();
  if (tokens == 0) return Error{ErrorCode::invalid_argument, "the prompt is empty"};
  if (tokens >= info.context_length)
    return Error{ErrorCode::limit_exceeded, "the prompt has " + std::to_string(tokens) +
                                                " tokens, and the context holds " +
                                                std::to_string(info.context_length) + ", the answer included"};
  if (engine_.sequence_bytes(static_cast<uint32_t>(tokens) + 1) > state_limit_)
    return Error{ErrorCode::limit_exceeded,
                 "the prompt has " + std::to_string(tokens) + " tokens, and there is no memory for so many"};
  for (const TokenId token : request.prompt)
    if (token < 0 || static_cast<uint32_t>(token) >= info.vocabulary_size)
      return Error{ErrorCode::invalid_argument, "token " + std::to_string(token) + " is not in the vocabulary"};
  INGLE_CHECK(validate(request.sampling));

  const std::lock_guard lock(mutex_);
  if (closed_) return Error{ErrorCode::busy, "the model is being closed"};
  if (stats_.waiting + arrived_.size() >= options_.max_waiting) {
    ++stats_.refused;
    return Error{ErrorCode::busy, std::to_string(options_.max_waiting) + " requests wait already; try again later"};
  }
  ++stats_.submitted;
  const RequestId id = next_id_++;
  arrived_.push_back(std::make_unique<Job>(id, std::move(request), std::move(sink), engine_.tokenizer()));
  changed_.notify_all();
  return id;
}

void Scheduler::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  cancelled_.push_back(id);
  changed_.notify_all();
}

void Scheduler::cancel_all() {
  const std::lock_guard lock(mutex_);
  all_cancelled_ = true;
  changed_.notify_all();
}

void Scheduler::forget(std::string principal) {
  const std::lock_guard lock(mutex_);
  forgotten_.push_back({std::move(principal), next_id_});
  changed_.notify_all();
}

void Scheduler::set_pace(const Pace& pace) {
  engine_.use_threads(pace.threads);
  const std::lock_guard lock(mutex_);
  next_pace_ = pace;
  changed_.notify_all();
}

void Scheduler::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

SchedulerStats Scheduler::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

// The pause after a pass. It ends early where somebody goes, who is to hear of it, or the pace changes.
void Scheduler::rest(std::unique_lock<std::mutex>& lock) {
  while (cancelled_.empty() && !all_cancelled_) {
    const double share = std::clamp(next_pace_.rest, 0.0, kMostRest);
    const double pause = std::min(pass_seconds_ * share / (1 - share), kLongestRest);
    const double left = pass_end_ + pause - seconds_now();
    if (left <= 0) return;
    changed_.wait_for(lock, std::chrono::duration<double>(left));
  }
}

bool Scheduler::wait() {
  std::unique_lock lock(mutex_);
  rest(lock);
  const auto work = [&] {
    return !arrived_.empty() || !cancelled_.empty() || all_cancelled_ || !forgotten_.empty() || !running_.empty() ||
           !waiting_.empty() || !questions_.empty();
  };
  const auto ready = [&] { return closed_ || work(); };
  const auto until_due = [&] { return std::chrono::duration<double>(idle_.due - seconds_now()); };
  while ((options_.preload || prefix_files_.count() > 0) && !changed_.wait_for(lock, until_due(), ready)) {
    lock.unlock();
    use_idle_time();
    lock.lock();
  }
  changed_.wait(lock, ready);
  if (work()) return true;
  lock.unlock();
  for (const double end = seconds_now() + kLastSeconds; seconds_now() < end && save_prefix();) continue;
  return false;
}

// One step of what is done for later; the next one may follow at once.
void Scheduler::use_idle_time() {
  prefix_files_.refresh();
  if (save_prefix() || preload_prefix()) return;
  // Not where memory is short: what others use now would go for what might be used.
  const bool room = options_.preload && available_memory() > engine_.info().weight_bytes;
  const uint64_t next = room ? engine_.preload(idle_.from, IdlePreload::kStep) : 0;
  idle_.stepped(seconds_now(), next);
}

// False: all are on disk.
bool Scheduler::save_prefix() {
  const PrefixCache::Entry* entry = prefixes_.next_to_save(prefix_files_.count(), PrefixFiles::kFewestTokens);
  if (entry == nullptr) return false;
  prefix_files_.keep(entry->owner, entry->tokens, *entry->sequence);
  return true;
}

// One of those that are on disk only. False: there is no other, or no room.
bool Scheduler::preload_prefix() {
  const auto file = prefix_files_.next_unread();
  if (!file || prefixes_.full() ||
      engine_.sequence_bytes_in_use() + prefix_files_.sequence_bytes(*file) > state_limit_ / 2)
    return false;
  load_prefix(*file);
  return true;
}

void Scheduler::load_prefix(size_t file) {
  if (auto restored = prefix_files_.read(file))
    prefixes_.keep(restored->owner, restored->state.tokens, std::move(restored->state.sequence), true);
}

// Into memory, where a file holds more of the job's beginning than is there.
void Scheduler::restore_prefix(Job& job) {
  if (prefix_files_.count() == 0 || std::exchange(job.looked_on_disk, true)) return;
  const auto match = prefix_files_.find(job.owner, job.text);
  if (!match || match->tokens < prefixes_.longest(job.owner, job.text) + PrefixFiles::kFewestTokens) return;
  const uint64_t bytes = prefix_files_.sequence_bytes(match->file);
  while (engine_.sequence_bytes_in_use() + bytes > state_limit_)
    if (!prefixes_.evict()) return;
  load_prefix(match->file);
}

bool Scheduler::step() {
  take_mail();
  remove_ended();
  admit();
  for (const auto& job : running_)
    if (job->sequence && !job->ended && !reserve(*job)) {
      // Alone, and there is not enough for one: it ends here. Otherwise it waits for the others.
      if (running_.size() == 1) {
        finish(*job, StopReason::context_full);
      } else {
        preempt(*job);
      }
    }
  remove_ended();
  const std::vector<Part> parts = choose_parts();
  if (!parts.empty()) run(parts);
  remove_ended();
  measure_ends();
  update_stats();
  return !parts.empty();
}

// What others asked for since the last pass.
void Scheduler::take_mail() {
  std::vector<RequestId> cancelled;
  std::vector<Forgotten> forgotten;
  std::vector<std::function<void()>> questions;
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& job : arrived_) served_.try_emplace(job->request.client, least_served());
    waiting_.splice(waiting_.end(), arrived_);
    cancelled.swap(cancelled_);
    forgotten.swap(forgotten_);
    questions.swap(questions_);
    all = std::exchange(all_cancelled_, false);
    change_pace(next_pace_);
    stats_.waiting = static_cast<uint32_t>(waiting_.size());
  }
  for (const auto& [principal, next] : forgotten) {
    prefixes_.forget(prefix_owner(principal));
    prefix_files_.forget(prefix_owner(principal));
    for (Jobs* jobs : {&running_, &waiting_})
      for (const auto& job : *jobs)
        if (job->request.principal == principal && job->id < next) job->leaves_prefixes = false;
    observer_.clear();
  }
  for (const auto& question : questions) question();
  if (cancelled.empty() && !all) return;
  for (Jobs* jobs : {&running_, &waiting_})
    for (const auto& job : *jobs)
      if (all || std::ranges::find(cancelled, job->id) != cancelled.end()) finish(*job, StopReason::cancelled);
}

void Scheduler::change_pace(const Pace& pace) {
  const auto threads = [&](const Pace& of) { return std::clamp(of.threads, 1u, engine_.info().threads); };
  // Until a pass has been measured: as much slower as there are fewer of them.
  rows_per_ms_ *= static_cast<double>(threads(pace)) / threads(pace_);
  pace_ = pace;
}

// Gives places to those that wait: interactive ones first, then whose client has had least, then who came first.
void Scheduler::admit() {
  while (running_.size() < std::min(options_.max_running, std::max(pace_.max_running, 1u))) {
    auto best = waiting_.end();
    for (auto job = waiting_.begin(); job != waiting_.end(); ++job) {
      if (follows_another(**job)) continue;
      // What lost its memory has answered in part, so it does not wait behind new ones.
      const auto rank = [&](const Job& of) {
        return std::tuple(!of.interactive(), of.in_prompt(), served_.at(of.request.client));
      };
      if (best == waiting_.end() || rank(**job) < rank(**best)) best = job;
    }
    if (best == waiting_.end() || !start(**best)) return;
    running_.splice(running_.end(), waiting_, best);
  }
}

// Whether most of its prompt is being computed for another request, which will share it.
bool Scheduler::follows_another(const Job& job) const {
  if (!job.request.keep_prefix) return false;
  return std::ranges::any_of(running_, [&](const auto& other) {
    if (other->ended || !other->in_prompt() || !other->leaves_prefixes ||
        other->request.principal != job.request.principal)
      return false;
    const auto differs = std::ranges::mismatch(job.text, other->text).in1;
    return static_cast<size_t>(differs - job.text.begin()) > job.text.size() / 2;
  });
}

// Its sequence, and memory for it. False: there is none now.
bool Scheduler::start(Job& job) {
  if (job.request.keep_prefix) {
    restore_prefix(job);
    job.sequence = prefixes_.take(job.owner, job.text);
  }
  if (!job.sequence) {
    auto made = engine_.new_sequence();
    if (!made) {
      // Others will end; where there are none, it would wait for ever.
      if (running_.empty()) fail(job, std::move(made).error());
      return false;
    }
    job.sequence = std::move(made).value();
  }
  const uint32_t cached = job.sequence->length();
  if (!reserve(job)) {
    if (running_.empty()) finish(job, StopReason::context_full);  // nobody will give memory back
    job.sequence.reset();
    return false;
  }
  if (job.in_prompt()) {
    job.begun = seconds_now();
    job.stats.prompt_tokens = static_cast<uint32_t>(job.text.size());
    job.stats.cached_tokens = cached;
    job.stats.queue_ms = (job.begun - job.arrived) * 1000;
    counted_.prompt_tokens += job.stats.prompt_tokens;
    counted_.cached_tokens += cached;
    if (!job.recording) job.recording = observer_.begin(job.request.observation, job.stats.prompt_tokens);
    const bool whole_rows = job.request.logprobs >= 0 || job.matcher || job.recording;
    job.best = whole_rows ? 0 : best_needed(job.request.sampling, engine_.info().vocabulary_size);
    job.sampler = make_sampler(job.request.sampling, engine_.info().vocabulary_size, job.text.size() + kPromised);
    for (const TokenId token : job.text) job.sampler->accept(token);
  }
  return true;
}

// Promises memory for the text and the token after it. False: there is none.
bool Scheduler::reserve(Job& job) {
  const uint32_t capacity = job.sequence->capacity(), needed = static_cast<uint32_t>(job.text.size()) + 1;
  if (job.promised >= std::min(needed, capacity)) return true;
  const uint32_t promised = std::exchange(job.promised, std::min(needed + kPromised, capacity));
  while (promised_bytes(job) > state_limit_) {
    if (observer_.drop_sequence() || prefixes_.evict()) continue;
    if (Job* victim = find_victim(job)) {
      preempt(*victim);
      continue;
    }
    // Less may do.
    if (job.promised > needed) {
      job.promised = std::min(needed, capacity);
      continue;
    }
    job.promised = promised;
    return false;
  }
  return true;
}

// What all sequences take now, and will have taken when they are as long as was promised; `job` may not run yet.
uint64_t Scheduler::promised_bytes(const Job& job) const {
  uint64_t bytes = engine_.sequence_bytes_in_use();
  const auto add = [&](const Job& of) {
    const uint64_t now = engine_.sequence_bytes(of.held()), then = engine_.sequence_bytes(of.promised);
    bytes += then > now ? then - now : 0;
  };
  bool runs = false;
  for (const auto& other : running_) {
    if (other->sequence) add(*other);
    runs = runs || other.get() == &job;
  }
  if (!runs) add(job);
  return bytes;
}

// Who gives up memory for `job`: the background request that came last, else the interactive one, if it came later.
Scheduler::Job* Scheduler::find_victim(const Job& job) {
  for (const bool interactive : {false, true}) {
    if (interactive && !job.interactive()) break;
    for (auto other = running_.rbegin(); other != running_.rend(); ++other) {
      if (!(*other)->sequence || (*other)->ended || (*other)->interactive() != interactive) continue;
      const bool lower = job.interactive() && !interactive;
      if (other->get() != &job && (lower || is_running_before(job, **other))) return other->get();
      if (!lower) break;
    }
  }
  return nullptr;
}

bool Scheduler::is_running_before(const Job& job, const Job& other) const {
  for (const auto& running : running_) {
    if (running.get() == &other) return false;
    if (running.get() == &job) return true;
  }
  return false;
}

// Its memory goes, its text stays: it waits for a place to be computed again.
void Scheduler::preempt(Job& job) {
  job.sequence.reset();
  job.promised = 0;
  ++job.stats.preemptions;
  ++counted_.preempted;
}

std::vector<Scheduler::Part> Scheduler::choose_parts() {
  ++pass_;
  const bool interactive = std::ranges::any_of(running_, [](const auto& job) { return job->interactive(); });
  const bool all = !interactive || pass_ % kBackgroundTurn == 0;
  std::vector<Part> parts;
  std::vector<std::pair<size_t, Job*>> prompts;  // with their order of coming
  for (const auto& job : running_) {
    if (!all && !job->interactive()) continue;
    if (job->pending() == 1) {
      parts.push_back({job.get(), 1});
    } else {
      prompts.emplace_back(prompts.size(), job.get());
    }
  }
  // One after the other, as of many at a time all would wait for the last; but long ones let others pass now and then.
  std::ranges::sort(prompts, {}, [](const auto& prompt) {
    const auto& [order, job] = prompt;
    return std::tuple(!job->interactive(), job->held() / kPromptTurn, order);
  });
  uint32_t rows = rows_for_prompts(parts.size());
  for (const auto& [order, job] : prompts) {
    if (rows == 0) break;
    const uint32_t tokens = std::min(rows, job->pending());
    parts.push_back({job, tokens});
    rows -= tokens;
  }
  return parts;
}

// How many tokens of prompts a pass may have beside so many answers.
uint32_t Scheduler::rows_for_prompts(size_t answers) const {
  const uint32_t most = engine_.info().batch - std::min(engine_.info().batch, static_cast<uint32_t>(answers));
  if (rows_per_ms_ == 0) return std::min(most, 4 * kFewestPromptRows);
  const double wanted = rows_per_ms_ * std::min(answers > 0 ? options_.pass_ms : options_.lone_pass_ms, pace_.pass_ms);
  return std::min(most, std::max(kFewestPromptRows, static_cast<uint32_t>(std::min(std::max(0.0, wanted), 1e9))));
}

void Scheduler::run(const std::vector<Part>& parts) {
  std::vector<SequenceTokens> batch;
  uint32_t best = 1, rows = 0;
  bool all_logits = false;
  for (const Part& part : parts) {
    Job& job = *part.job;
    batch.push_back({job.sequence.get(), std::span(job.text).subspan(job.held(), part.tokens)});
    rows += part.tokens;
    if (part.tokens < job.pending()) continue;  // nothing is sampled
    all_logits = all_logits || job.best == 0;
    best = std::max(best, job.best);
  }
  proposed_.clear();
  if (parts.size() == 1) propose(*parts.front().job);
  const double start = seconds_now();
  const uint32_t best_count = all_logits ? 0 : best;
  pass_rows_ = std::max(rows, static_cast<uint32_t>(proposed_.size()));
  pass_sequences_ = static_cast<uint32_t>(parts.size());
  watch(parts);
  pass_cost_ms_ = -observer_.pass_cost_ms();
  auto computed = compute(batch, best_count);
  if (!computed && computed.error().code == ErrorCode::out_of_memory && proposed_.size() > 1) {
    parts.front().job->looks_up = false;  // there is memory for one row
    proposed_.erase(proposed_.begin() + 1, proposed_.end());
    watch(parts);
    computed = compute(batch, best_count);
  }
  ++counted_.passes;
  pass_end_ = seconds_now();
  pass_seconds_ = pass_end_ - start;
  pass_cost_ms_ += observer_.pass_cost_ms();
  idle_.worked(pass_end_);
  if (!computed) {
    for (const Part& part : parts) fail(*part.job, computed.error());
    return;
  }
  if (rows >= parts.size() + kFewestPromptRows) smooth(rows_per_ms_, rows / (pass_seconds_ * 1000));
  if (!proposed_.empty()) return advance_alone(*parts.front().job, *computed);
  for (size_t i = 0; i < parts.size(); ++i) advance(parts[i], computed->row(i));
}

// Tells which rows of the pass somebody looks at.
void Scheduler::watch(const std::vector<Part>& parts) {
  observer_.forget_pass();
  uint32_t row = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Job& job = *parts[i].job;
    row += parts[i].tokens;
    if (!job.recording || !job.recording->first_kept() || parts[i].tokens < job.pending()) continue;
    observer_.watch(i, row - 1);
    for (uint32_t next = 1; next < proposed_.size(); ++next) observer_.watch(next, next);
  }
  observer_.begin_pass();
}

// An answer that nothing is computed beside: its next token, and what probably follows, where computing that pays.
void Scheduler::propose(Job& job) {
  if (!options_.lookup || !job.looks_up || job.in_prompt() || job.pending() != 1) return;
  if (!job.speculation) {
    const SpeculationOptions options{.lookup = true, .always = options_.always_look_up};
    job.speculation = std::make_unique<Speculation>(options, size_t{job.sequence->capacity()} + 1);
    if (!job.speculation->start(job.text, {}).ok()) return;
  }
  // Behind what is held then, there is to be a place for one more token, as without.
  const size_t kept = job.promised < job.sequence->capacity() ? 1 : 0;
  size_t most = std::min(kSpeculationRows - 1, job.promised - job.text.size() - kept);
  if (const uint32_t wanted = job.request.reply.max_tokens; wanted != 0)
    most = std::min<size_t>(most, wanted - job.reply.tokens() - 1);
  proposed_.push_back(job.text.back());
  job.speculation->propose(most, proposed_);
}

// The rows of all proposed tokens, if there are any, else of each sequence's last one.
base::Result<Scheduler::Rows> Scheduler::compute(std::span<const SequenceTokens> batch, uint32_t best_count) {
  Rows rows{.best_count = best_count, .vocabulary_size = engine_.info().vocabulary_size};
  const auto run = [&]() -> base::Status {
    Sequence& first = *batch.front().sequence;
    if (best_count == 0) {
      INGLE_TRY(rows.logits,
                proposed_.empty() ? engine_.forward_batch(batch) : engine_.forward(first, proposed_, LogitRows::all));
    } else {
      INGLE_TRY(rows.best, proposed_.empty() ? engine_.forward_batch_best(batch, best_count)
                                             : engine_.forward_best(first, proposed_, LogitRows::all, best_count));
    }
    return {};
  };
  INGLE_CHECK(run());
  return rows;
}

Scheduler::Rows Scheduler::Rows::row(size_t index) const {
  Rows row = *this;
  row.number = index;
  if (best_count == 0)
    row.logits = logits.subspan(index * vocabulary_size, vocabulary_size);
  else
    row.best = best.subspan(index * best_count, best_count);
  return row;
}

// Each proposed token that is sampled as well has its own row already.
void Scheduler::advance_alone(Job& job, const Rows& rows) {
  job.speculation->measured(proposed_.size(), pass_seconds_);
  job.ahead = static_cast<uint32_t>(proposed_.size() - 1);
  job.stats.proposed_tokens += job.ahead;
  counted_.proposed_tokens += job.ahead;
  for (size_t row = 0;; ++row) {
    advance({&job, 1}, rows.row(row));
    if (job.ended) return;
    if (job.ahead == 0 || job.text.back() != proposed_[row + 1]) break;
    --job.ahead;
    ++job.stats.taken_tokens;
    ++counted_.taken_tokens;
  }
  take_back(job);
}

// What was proposed wrongly.
void Scheduler::take_back(Job& job) {
  const uint32_t held = job.held();
  if (std::exchange(job.ahead, 0) > 0) job.sequence->truncate(held);
}

// A job's tokens were computed: if these are all, the next one is chosen.
void Scheduler::advance(const Part& part, const Rows& row) {
  Job& job = *part.job;
  served_.at(job.request.client) += part.tokens;
  if (job.pending() > 0) return;
  const bool first = job.in_prompt();
  if (first) {
    job.answered = seconds_now();
    job.stats.prefill_ms = (job.answered - job.begun) * 1000;
    job.event.started = true;
    keep_prefix(job);
  }
  std::vector<float> untouched;
  if (job.request.logprobs >= 0 || job.recording) untouched.assign(row.logits.begin(), row.logits.end());
  std::optional<uint32_t> allowed;
  if (job.matcher) allowed = mask(job, row.logits);
  if (allowed == 0u) return finish(job, StopReason::length);
  const TokenId token = choose(job, row, untouched, allowed);
  ++job.stats.generated_tokens;
  ++counted_.generated_tokens;
  job.stats.decode_ms = (seconds_now() - job.answered) * 1000;
  if (job.matcher) job.matcher->accept(token);
  if (job.reply.ends_with(token) || (job.matcher && job.matcher->ended())) return finish(job, StopReason::stop_token);

  job.sampler->accept(token);
  if (job.speculation) job.speculation->accept(token);
  job.text.push_back(token);
  ++job.event.token_count;
  if (job.request.logprobs >= 0)
    job.event.tokens.push_back(
        with_logprobs(engine_.tokenizer(), untouched, token, static_cast<size_t>(job.request.logprobs)));
  if (const auto reason = job.reply.take(token, job.event.text)) return finish(job, *reason);
  if (job.matcher && job.matcher->must_end()) return finish(job, StopReason::stop_token);
  if (job.held() >= job.sequence->capacity()) return finish(job, StopReason::context_full);
  job.emit();
}

// A pass has whole rows if any of its requests wants them; the token is the same.
TokenId Scheduler::choose(Job& job, const Rows& row, std::span<const float> untouched,
                          std::optional<uint32_t> allowed) {
  if (!job.recording)
    return row.best_count == 0 ? job.sampler->sample(row.logits) : job.sampler->sample_best(row.best.first(job.best));
  const double start = seconds_now();
  ObservedToken observed = observer_.choose(*job.sampler, untouched, row.logits, allowed, job.request.observation);
  observed.pass_ms = pass_seconds_ * 1000;
  observed.pass_rows = pass_rows_;
  observed.pass_sequences = pass_sequences_;
  observed.guessed = !proposed_.empty() && row.number > 0;
  const TokenId token = observed.token;
  observer_.add(*job.recording, row.number, token);
  job.stats.observing_ms += (seconds_now() - start) * 1000 + (observed.guessed ? 0 : pass_cost_ms_);
  job.event.observed.push_back(std::move(observed));
  return token;
}

// Takes from the logits what the answer's form does not allow. Returns how many tokens are left; where it is none, the
// answer can't be completed.
uint32_t Scheduler::mask(Job& job, std::span<float> logits) {
  mask_.resize(job.matcher->mask_words());
  job.matcher->fill_mask(mask_);
  uint32_t left = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool allowed = i / 32 < mask_.size() && (mask_[i / 32] >> (i % 32) & 1) != 0;
    if (!allowed) logits[i] = -std::numeric_limits<float>::infinity();
    left += allowed ? 1 : 0;
  }
  return left;
}

// A copy of the prompt's state for others, which shares its pages.
void Scheduler::keep_prefix(Job& job) {
  if (!job.leaves_prefixes) return;
  if (auto fork = job.sequence->fork()) prefixes_.keep(job.owner, job.text, std::move(fork).value());
}

void Scheduler::finish(Job& job, StopReason reason) {
  if (job.ended) return;
  job.ended = true;
  job.event.finished = job.reply.finish(reason, job.event.text);
  job.event.stopped_by = job.reply.stopped_by();
  if (job.sequence) {
    take_back(job);
    job.stats.state_bytes = engine_.sequence_bytes(job.held());
    ++left_;
  }
  count_end(reason == StopReason::cancelled ? &SchedulerStats::cancelled : &SchedulerStats::finished);
  job.emit();
  if (job.recording) observer_.end(*job.recording, job.sequence.get());
  if (job.sequence && job.leaves_prefixes && !job.in_prompt()) {
    const auto tokens = std::span<const TokenId>(job.text).first(job.held());
    prefixes_.keep(job.owner, tokens, std::move(job.sequence));
  }
  job.sequence.reset();
}

// Whose keys and values it looked at: of an answer that is still written, its own.
base::Result<const Sequence*> Scheduler::sequence_of(const Recording& recording) const {
  for (const auto& job : running_)
    if (job->recording.get() == &recording && job->sequence) return job->sequence.get();
  if (recording.sequence() == nullptr)
    return Error{ErrorCode::not_found, "the keys and values of that answer are no longer in memory"};
  return recording.sequence();
}

void Scheduler::fail(Job& job, base::Error error) {
  if (job.ended) return;
  job.ended = true;
  if (job.sequence) ++left_;
  job.sequence.reset();
  count_end(&SchedulerStats::failed);
  job.event.error = std::move(error);
  job.emit();
  if (job.recording) observer_.end(*job.recording, nullptr);
}

// Before the last event is handed on, so that whoever got it finds it counted.
void Scheduler::count_end(uint64_t SchedulerStats::* which) {
  ++(counted_.*which);
  update_stats();
}

// Those that ended go; those that lost their memory wait again, before all others.
void Scheduler::remove_ended() {
  for (Jobs* jobs : {&running_, &waiting_}) std::erase_if(*jobs, [](const auto& job) { return job->ended; });
  for (auto job = running_.begin(); job != running_.end();) {
    const auto next = std::next(job);
    if (!(*job)->sequence) waiting_.splice(waiting_.begin(), running_, job);
    job = next;
  }
  std::erase_if(served_, [&](const auto& client) {
    for (const Jobs* jobs : {&running_, &waiting_})
      for (const auto& job : *jobs)
        if (job->request.client == client.first) return false;
    return true;
  });
}

// What a client begins with that has nothing here yet, so that it neither waits for the others nor they for it.
double Scheduler::least_served() const {
  const auto least = std::ranges::min_element(served_, {}, [](const auto& client) { return client.second; });
  return least == served_.end() ? 0 : least->second;
}

// How fast places become free while others wait for them.
void Scheduler::measure_ends() {
  const uint64_t left = std::exchange(left_, 0);
  if (left == 0) return;
  const double now = seconds_now();
  if (last_end_ != 0) {
    smooth(end_seconds_, now - last_end_, kEndSmoothing);
    smooth(end_jobs_, static_cast<double>(left), kEndSmoothing);
  }
  last_end_ = waiting_.empty() ? 0 : now;
}

// When those that wait now have had their turn. A place is free sooner, but all that were refused would come for it.
double Scheduler::retry_after() const {
  const double seconds_per_job = end_jobs_ == 0 ? 0 : end_seconds_ / end_jobs_;
  return std::clamp(static_cast<double>(waiting_.size()) * seconds_per_job, 1.0, 60.0);
}

void Scheduler::update_stats() {
  const std::lock_guard lock(mutex_);
  counted_.submitted = stats_.submitted;
  counted_.refused = stats_.refused;
  counted_.running = static_cast<uint32_t>(running_.size());
  counted_.waiting = static_cast<uint32_t>(waiting_.size());
  counted_.kept_prefixes = static_cast<uint32_t>(prefixes_.size());
  counted_.state_bytes = engine_.sequence_bytes_in_use();
  counted_.retry_after_s = retry_after();
  stats_ = counted_;
}

}  // namespace ingle::core
