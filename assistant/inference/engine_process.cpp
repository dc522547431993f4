#include "assistant/inference/engine_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "assistant/inference/channel.h"
#include "assistant/inference/engine_host.h"
#include "assistant/inference/model_files.h"
#include "base/descriptors.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {

using namespace messages;
using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

namespace {

/// For figures that nobody waits for longer; the process is not ended for their sake.
constexpr auto kStatsPatience = std::chrono::seconds(2);
/// A process that lived so long had not ended because of how it starts.
constexpr auto kLasting = std::chrono::seconds(60);
/// For a process that is to end: it may still write a packed copy.
constexpr auto kGrace = std::chrono::seconds(6);
/// Pipes take nothing for so long only if the process does not read.
constexpr auto kSendPatience = std::chrono::seconds(20);

security::Policy policy_of(const EngineProcessOptions& options) {
  constexpr uint64_t kOpenFiles = 256;  // handed in, and opened again under each use
  security::Policy policy;
  policy.access.require_full = false;
  policy.access.sanitizers = options.sanitizers;
  policy.limits.open_files = kOpenFiles;
  // It tries to attach to itself, which is closed.
  if (options.sanitizers) policy.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}};
  return policy;
}

}  // namespace

/// One life of the process.
class EngineProcess::Process {
 public:
  static base::Result<std::shared_ptr<Process>> start(const EngineProcessOptions& options);

  Channel& channel() { return *channel_; }
  security::Child& child() { return child_; }
  ModelFiles& files() { return files_; }

 private:
  ModelFiles files_;
  std::optional<Channel> channel_;
  security::Child child_;
};

base::Result<std::shared_ptr<EngineProcess::Process>> EngineProcess::Process::start(
    const EngineProcessOptions& options) {
  auto process = std::make_shared<Process>();
  Load load{.name = options.name,
            .model = std::filesystem::absolute(options.model).lexically_normal(),
            .engine = options.engine,
            .scheduling = options.scheduling,
            .sanitizers = options.sanitizers};
  for (core::LoraSpec& lora : load.engine.loras) lora.path = std::filesystem::absolute(lora.path).lexically_normal();
  INGLE_TRY(load.machine, core::machine_facts(options.engine.isa, options.engine.cache_folder));
  INGLE_TRY(process->files_, ModelFiles::open(load.model, load.engine, options.scheduling.prefix_file_bytes));
  load.scheduling.prefix_files = process->files_.prefix_files();
  INGLE_TRY(base::Pipe to, base::make_pipe());
  INGLE_TRY(base::Pipe from, base::make_pipe());
  std::vector<security::PassedFd> passed = {{to.read.get(), kFromStarterFd}, {from.write.get(), kToStarterFd}};
  int next = kFirstHandedFd;
  for (const ModelFiles::File& file : process->files_.files()) {
    passed.push_back({file.fd.get(), next});
    load.files.push_back({file.path, next++, file.direct});
  }
  if (process->files_.new_file() >= 0) {
    passed.push_back({process->files_.new_file(), next});
    load.new_file = next;
  }
  INGLE_TRY(process->child_, security::launch(policy_of(options), options.program, options.arguments, passed));
  if (::fcntl(to.write.get(), F_SETFL, O_NONBLOCK) != 0) return base::errno_error(errno, "set up", "a pipe");
  process->channel_.emplace(std::move(from.read), std::move(to.write), kSendPatience);
  INGLE_CHECK(process->channel_->send(encode(ToEngine(std::move(load)))));
  return process;
}

base::Result<std::unique_ptr<EngineProcess>> EngineProcess::start(EngineProcessOptions options,
                                                                  const core::LoadProgress& progress) {
  // What is free changes with what is loaded: the next starts are to be as the first.
  if (options.engine.memory_limit_bytes == 0) options.engine.memory_limit_bytes = core::available_memory();
  if (options.scheduling.state_bytes == 0) options.scheduling.state_bytes = core::available_memory() / 2;
  std::unique_ptr<EngineProcess> model(new EngineProcess(std::move(options)));
  INGLE_TRY(model->facts_, model->launch(progress));
  model->missing_ = model->process_->child().missing();
  model->supervising_ = std::thread([self = model.get()] { self->supervise(); });
  return model;
}

EngineProcess::~EngineProcess() {
  end();
  if (supervising_.joinable()) supervising_.join();
}

void EngineProcess::end() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  const std::shared_ptr<Process> process = process_, starting = starting_;
  changed_.notify_all();
  if (starting) starting->child().kill();
  if (!process) return;
  process->channel().close_sending();
  if (!changed_.wait_for(lock, kGrace, [this] { return ended_; })) process->child().kill();
}

// Starts the process and waits until it has loaded. It is process_ then.
base::Result<ModelFacts> EngineProcess::launch(const core::LoadProgress& progress) {
  INGLE_TRY(const std::shared_ptr<Process> process, Process::start(options_));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{ErrorCode::cancelled, "loading was cancelled"};
    starting_ = process;
  }
  base::Result<ModelFacts> outcome = Error{ErrorCode::internal, ""};
  for (;;) {
    auto bytes = process->channel().receive();
    auto message = bytes && *bytes ? decode<FromEngine>(**bytes) : std::nullopt;
    if (!message) {
      process->child().kill();
      const auto exit = process->child().wait();
      outcome = Error{ErrorCode::unavailable, "the process that was to run " + options_.model.string() + " " +
                                                  (exit && *exit ? (*exit)->describe() : "ended")};
      break;
    }
    if (auto* loaded = std::get_if<Loaded>(&*message)) {
      outcome = std::move(loaded->facts);
      break;
    }
    if (auto* refused = std::get_if<NotLoaded>(&*message)) {
      outcome = std::move(refused->error);
      break;
    }
    if (const auto* step = std::get_if<Progress>(&*message)) {
      if (progress && !progress(step->done)) {
        outcome = Error{ErrorCode::cancelled, "loading was cancelled"};
        break;
      }
      continue;
    }
    hear(*process, std::move(*message));
  }
  const std::lock_guard lock(mutex_);
  starting_ = nullptr;
  if (outcome.ok() && !stopping_) process_ = process;
  return outcome;
}

void EngineProcess::supervise() {
  milliseconds delay = options_.first_delay;
  for (;;) {
    std::shared_ptr<Process> process;
    {
      const std::lock_guard lock(mutex_);
      process = process_;
    }
    const auto began = std::chrono::steady_clock::now();
    if (process) listen(*process);
    if (std::chrono::steady_clock::now() - began > kLasting) delay = options_.first_delay;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (!start_again(delay)) break;
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

// False: it is not to run any more.
bool EngineProcess::start_again(milliseconds& delay) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, delay, [this] { return stopping_; })) return false;
    }
    delay = std::min(delay * 2, options_.longest_delay);
    auto facts = launch({});
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (facts.ok() && facts->info.vocabulary_size == facts_.info.vocabulary_size &&
        facts->info.context_length == facts_.info.context_length && facts->chat_template == facts_.chat_template) {
      if (options_.notice) options_.notice(options_.name + " runs again");
      static_cast<void>(process_->channel().send(encode(ToEngine(SetPace{pace_}))));
      if (closed_) static_cast<void>(process_->channel().send(encode(ToEngine(Close{}))));
      return true;
    }
    process_ = nullptr;
    why_ = facts.ok() ? "its file is another one now; start the server again" : facts.error().message;
  }
}

// Until the process ends; then its requests fail.
void EngineProcess::listen(Process& process) {
  for (;;) {
    auto bytes = process.channel().receive();
    if (!bytes || !*bytes) break;
    auto message = decode<FromEngine>(**bytes);
    if (!message) break;  // nothing that it says can be trusted any more
    hear(process, std::move(*message));
  }
  {
    const std::lock_guard lock(mutex_);
    process_ = nullptr;
    if (!stopping_) process.child().kill();
  }
  // One that is to end may still be writing a copy of its weights.
  const auto exit = process.child().wait(kGrace);
  if (!exit || !*exit) process.child().kill();
  fail_all(exit && *exit ? (*exit)->describe() : "did not answer");
}

void EngineProcess::hear(Process& process, FromEngine message) {
  if (auto* reply = std::get_if<Reply>(&message)) return take(std::move(*reply));
  if (auto* event = std::get_if<Event>(&message)) return take(std::move(*event));
  if (auto* embedded = std::get_if<Embedded>(&message)) return take(std::move(*embedded));
  if (const auto* done = std::get_if<Completed>(&message)) return process.files().completed(done->path);
  if (const auto* damaged = std::get_if<Removed>(&message)) return process.files().removed(damaged->path);
}

void EngineProcess::take(Reply reply) {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find(reply.number);
  if (found == asked_.end()) return;
  if (std::holds_alternative<Nothing>(reply.what))
    if (const auto running = running_.find(found->second.request); running != running_.end())
      running->second.accepted = true;
  found->second.answer.set_value(std::move(reply.what));
  asked_.erase(found);
}

void EngineProcess::take(Event event) {
  std::shared_ptr<core::EventSink> sink;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(event.request);
    if (found == running_.end()) return;
    sink = found->second.sink;
    if (!sink) return;
    if (event.event.finished || event.event.error) running_.erase(found);
  }
  (*sink)(std::move(event.event));
}

void EngineProcess::take(Embedded embedded) {
  std::shared_ptr<core::EmbeddingSink> sink;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(embedded.request);
    if (found == running_.end() || !found->second.embedding) return;
    sink = found->second.embedding;
    running_.erase(found);
  }
  (*sink)(std::move(embedded.result));
}

void EngineProcess::fail_all(const std::string& why) {
  std::map<uint64_t, Asked> asked;
  std::map<core::RequestId, Running> running;
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    why_ = "its process " + why;
    asked.swap(asked_);
    running.swap(running_);
    wanted = !stopping_;
  }
  if (wanted && options_.notice)
    options_.notice("the process of " + options_.name + " " + why + "; it is started again");
  const Error error = unavailable();
  for (auto& [number, each] : asked) each.answer.set_value(error);
  for (auto& [request, each] : running) {
    if (!each.accepted) continue;  // who asked hears of it
    if (each.embedding) {
      (*each.embedding)({.embeddings = {}, .error = error, .stats = {}});
      continue;
    }
    core::GenerationEvent event;
    event.error = error;
    (*each.sink)(std::move(event));
  }
}

Error EngineProcess::unavailable() const {
  const std::lock_guard lock(mutex_);
  return Error{ErrorCode::unavailable,
               options_.name + " can't be asked right now: " + (why_.empty() ? "it is being started" : why_)};
}

base::Result<EngineProcess::Answer> EngineProcess::ask(What what, core::RequestId request) {
  std::shared_ptr<Process> process;
  std::future<Answer> answer;
  uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    process = process_;
    if (process) {
      number = next_number_++;
      Asked& asked = asked_[number];
      asked.request = request;
      answer = asked.answer.get_future();
    }
  }
  if (!process) return unavailable();
  const bool figures = std::holds_alternative<GetStats>(what);
  base::Status sent = process->channel().send(encode(ToEngine(Ask{number, std::move(what)})));
  const bool too_long = !sent.ok() && sent.error().code == ErrorCode::limit_exceeded;
  const bool late =
      sent.ok() && answer.wait_for(figures ? kStatsPatience : options_.patience) != std::future_status::ready;
  if (too_long || (late && figures)) {
    const std::lock_guard lock(mutex_);
    if (asked_.erase(number) != 0) return too_long ? std::move(sent).error() : Error{ErrorCode::busy, "no answer yet"};
  }
  // One that does not read or answer is of no use to others either: its end fails what waits.
  if (!sent.ok() || late) process->child().kill();
  Answer result = answer.get();
  if (auto* error = std::get_if<Error>(&result)) return std::move(*error);
  return result;
}

template <typename T>
base::Result<T> EngineProcess::ask_for(What what) {
  INGLE_TRY(Answer answer, ask(std::move(what)));
  if (T* value = std::get_if<T>(&answer)) return std::move(*value);
  return Error{ErrorCode::unavailable, options_.name + " gave an answer to another question"};
}

base::Result<std::vector<core::TokenId>> EngineProcess::chat_prompt(const core::ChatRequest& request) {
  return ask_for<std::vector<core::TokenId>>(ChatPrompt{request});
}

base::Result<std::vector<core::TokenId>> EngineProcess::gap_prompt(std::string_view before, std::string_view after) {
  return ask_for<std::vector<core::TokenId>>(GapPrompt{std::string(before), std::string(after)});
}

base::Result<std::vector<core::TokenId>> EngineProcess::tokenize(std::string_view text, bool add_special,
                                                                 bool parse_special) {
  return ask_for<std::vector<core::TokenId>>(Tokenize{std::string(text), add_special, parse_special});
}

base::Result<std::string> EngineProcess::detokenize(const std::vector<core::TokenId>& tokens, bool show_special) {
  return ask_for<std::string>(Detokenize{tokens, show_special});
}

base::Status EngineProcess::check_grammar(const std::string& gbnf) {
  INGLE_CHECK(ask_for<Nothing>(CheckGrammar{gbnf}));
  return {};
}

base::Result<core::SchedulerStats> EngineProcess::stats() {
  return ask_for<core::SchedulerStats>(GetStats{});
}

base::Result<std::vector<SpelledToken>> EngineProcess::spell(const std::vector<core::TokenId>& tokens) {
  return ask_for<std::vector<SpelledToken>>(SpellTokens{tokens});
}
base::Result<std::vector<core::LensLayer>> EngineProcess::lens(uint64_t key, uint32_t token, uint32_t count) {
  return ask_for<std::vector<core::LensLayer>>(GetLens{key, token, count});
}
base::Result<core::AttentionWeights> EngineProcess::attention(uint64_t key, uint32_t token, uint32_t layer) {
  return ask_for<core::AttentionWeights>(GetAttention{key, token, layer});
}
base::Result<std::string> EngineProcess::timeline(uint64_t key) {
  return ask_for<std::string>(GetTimeline{key});
}
base::Result<core::MemoryMap> EngineProcess::memory_map() {
  return ask_for<core::MemoryMap>(GetMemoryMap{});
}

base::Result<core::EmbeddingText> EngineProcess::pair(std::string_view first, std::string_view second) {
  return ask_for<core::EmbeddingText>(PairTexts{std::string(first), std::string(second)});
}

base::Result<core::RequestId> EngineProcess::generate(GenerationRequest request, core::EventSink sink) {
  const core::RequestId id = add({.sink = std::make_shared<core::EventSink>(std::move(sink)), .embedding = {}});
  return run(id, Generate{id, std::move(request)});
}

base::Result<core::RequestId> EngineProcess::embed(core::EmbeddingRequest request, core::EmbeddingSink sink) {
  const core::RequestId id = add({.sink = {}, .embedding = std::make_shared<core::EmbeddingSink>(std::move(sink))});
  return run(id, Embed{id, std::move(request)});
}

core::RequestId EngineProcess::add(Running running) {
  const std::lock_guard lock(mutex_);
  const core::RequestId id = next_request_++;
  running_[id] = std::move(running);
  return id;
}

base::Result<core::RequestId> EngineProcess::run(core::RequestId id, What what) {
  auto answer = ask(std::move(what), id);
  if (answer.ok()) return id;
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  return std::move(answer).error();
}

void EngineProcess::tell(const ToEngine& message) {
  std::shared_ptr<Process> process;
  {
    const std::lock_guard lock(mutex_);
    process = process_;
  }
  if (process) static_cast<void>(process->channel().send(encode(message)));
}

void EngineProcess::cancel(core::RequestId id) {
  tell(Cancel{id});
}

void EngineProcess::forget(const std::string& principal) {
  tell(Forget{principal});
}

void EngineProcess::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  tell(Close{});
}

bool EngineProcess::busy() const {
  const std::lock_guard lock(mutex_);
  return !running_.empty();
}

void EngineProcess::set_pace(const core::Pace& pace) {
  {
    const std::lock_guard lock(mutex_);
    pace_ = pace;
  }
  tell(SetPace{pace});
}

core::Pace EngineProcess::pace() const {
  const std::lock_guard lock(mutex_);
  return pace_;
}

std::optional<int> EngineProcess::process() const {
  const std::lock_guard lock(mutex_);
  if (!process_) return std::nullopt;
  return process_->child().pid();
}

}  // namespace ingle::assistant
