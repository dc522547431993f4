#include "assistant/inference/engine_host.h"

#include <cmath>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "assistant/inference/channel.h"
#include "assistant/inference/local_model.h"
#include "base/handed_files.h"
#include "security/sandbox/confine.h"
#include "security/sandbox/policy.h"

namespace ingle::assistant {
namespace {

using namespace messages;

void tell(Channel& channel, const FromEngine& message) {
  // A starter that is gone needs no answer; the pipe from it ends this process.
  static_cast<void>(channel.send(encode(message)));
}

/// What of an answer is told: its value, or why there is none.
template <typename T>
decltype(Reply::what) told(base::Result<T> result) {
  if (!result.ok()) return std::move(result).error();
  return std::move(result).value();
}
decltype(Reply::what) told(base::Status status) {
  if (!status.ok()) return std::move(status).error();
  return Nothing();
}

class Host {
 public:
  Host(Channel& channel, LocalModel& model) : channel_(channel), model_(model), preparing_([this] { prepare(); }) {}
  ~Host() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    preparing_.join();
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void hear(ToEngine message) {
    std::visit([this](auto& kind) { take(kind); }, message);
  }

 private:
  void take(Load&) {}
  void take(Ask& ask) {
    // What takes a while must not hold up a cancellation or the next request.
    if (auto* generate = std::get_if<Generate>(&ask.what)) return reply(ask.number, start(*generate));
    if (auto* embed = std::get_if<Embed>(&ask.what)) return reply(ask.number, start(*embed));
    if (std::holds_alternative<GetStats>(ask.what)) return reply(ask.number, told(model_.stats()));
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(std::move(ask));
    }
    changed_.notify_all();
  }
  void take(Cancel& cancel) {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(cancel.request); found != running_.end()) model_.cancel(found->second);
  }
  void take(Forget& forget) { model_.forget(forget.principal); }
  void take(Close&) { model_.close(); }
  void take(SetPace& set) { model_.set_pace(set.pace); }

  decltype(Reply::what) start(Generate& generate) {
    const uint64_t request = generate.request;
    begin(request);
    return begun(request,
                 model_.generate(std::move(generate.generation), [this, request](core::GenerationEvent&& event) {
                   if (event.finished || event.error) ended(request);
                   tell(channel_, Event{request, std::move(event)});
                 }));
  }
  decltype(Reply::what) start(Embed& embed) {
    const uint64_t request = embed.request;
    begin(request);
    return begun(request, model_.embed(std::move(embed.embedding), [this, request](core::EmbeddingResult&& result) {
      ended(request);
      tell(channel_, Embedded{request, std::move(result)});
    }));
  }
  void begin(uint64_t request) {
    const std::lock_guard lock(mutex_);
    running_[request] = 0;
  }
  void ended(uint64_t request) {
    const std::lock_guard lock(mutex_);
    running_.erase(request);
  }
  decltype(Reply::what) begun(uint64_t request, base::Result<core::RequestId> id) {
    const std::lock_guard lock(mutex_);
    if (!id.ok()) {
      running_.erase(request);
      return std::move(id).error();
    }
    // It may have ended already.
    if (const auto found = running_.find(request); found != running_.end()) found->second = *id;
    return Nothing();
  }

  void prepare() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ended_ || !asked_.empty(); });
      if (ended_) return;
      Ask ask = std::move(asked_.front());
      asked_.pop_front();
      lock.unlock();
      reply(ask.number, std::visit([this](auto& what) { return answer(what); }, ask.what));
      lock.lock();
    }
  }
  decltype(Reply::what) answer(ChatPrompt& what) { return told(model_.chat_prompt(what.request)); }
  decltype(Reply::what) answer(GapPrompt& what) { return told(model_.gap_prompt(what.before, what.after)); }
  decltype(Reply::what) answer(Tokenize& what) {
    return told(model_.tokenize(what.text, what.add_special, what.parse_special));
  }
  decltype(Reply::what) answer(Detokenize& what) { return told(model_.detokenize(what.tokens, what.show_special)); }
  decltype(Reply::what) answer(CheckGrammar& what) { return told(model_.check_grammar(what.gbnf)); }
  decltype(Reply::what) answer(PairTexts& what) { return told(model_.pair(what.first, what.second)); }
  decltype(Reply::what) answer(SpellTokens& what) { return told(model_.spell(what.tokens)); }
  decltype(Reply::what) answer(GetLens& what) { return told(model_.lens(what.key, what.token, what.count)); }
  decltype(Reply::what) answer(GetAttention& what) { return told(model_.attention(what.key, what.token, what.layer)); }
  decltype(Reply::what) answer(GetTimeline& what) { return told(model_.timeline(what.key)); }
  decltype(Reply::what) answer(GetMemoryMap&) { return told(model_.memory_map()); }
  decltype(Reply::what) answer(Generate&) { return Nothing(); }
  decltype(Reply::what) answer(Embed&) { return Nothing(); }
  decltype(Reply::what) answer(GetStats&) { return Nothing(); }

  void reply(uint64_t number, decltype(Reply::what) what) { tell(channel_, Reply{number, std::move(what)}); }

  Channel& channel_;
  LocalModel& model_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Ask> asked_;                        ///< guarded by mutex_, as all below
  std::map<uint64_t, core::RequestId> running_;  ///< by the starter's number
  bool ended_ = false;
  std::thread preparing_;
};

base::HandedFiles handed_files(const Load& load, Channel& channel) {
  base::HandedFiles handed;
  for (const Load::File& file : load.files) handed.files.push_back({file.path, file.fd, file.direct});
  handed.new_file = load.new_file;
  handed.new_file_folder = load.engine.cache_folder / "packed";
  handed.completed = [&channel](const std::filesystem::path& path) { tell(channel, Completed{path}); };
  handed.removed = [&channel](const std::filesystem::path& path) { tell(channel, Removed{path}); };
  return handed;
}

base::Result<std::unique_ptr<core::Engine>> load_model(const Load& load, Channel& channel) {
  INGLE_CHECK(core::assume_machine(load.machine));
  base::use_handed_files(handed_files(load, channel));
  security::Access access;  // nothing but what is open
  access.require_full = false;
  access.sanitizers = load.sanitizers;
  INGLE_CHECK(security::confine_self(access, security::kReportFd));
  double told_of = 0;
  std::mutex mutex;  // several threads pack
  return core::Engine::load(load.model, load.engine, [&](double done) {
    constexpr double kStep = 0.01;
    const std::lock_guard lock(mutex);
    if (done >= told_of + kStep) tell(channel, Progress{told_of = done});
    return true;
  });
}

int run_host() {
  constexpr auto kPatience = std::chrono::hours(24);  // who does not listen any more has ended, which ends the pipe
  Channel channel(base::FileDescriptor(kFromStarterFd), base::FileDescriptor(kToStarterFd), kPatience);
  const auto next = [&channel]() -> std::optional<ToEngine> {
    auto bytes = channel.receive();
    if (!bytes || !*bytes) return std::nullopt;
    return decode<ToEngine>(**bytes);
  };
  const auto first = next();
  const Load* load = first ? std::get_if<Load>(&*first) : nullptr;
  if (load == nullptr) return 2;
  auto engine = load_model(*load, channel);
  if (!engine) {
    tell(channel, NotLoaded{engine.error()});
    return 1;
  }
  LocalModel model(load->name, std::move(engine).value(), load->scheduling);
  tell(channel, Loaded{model.facts()});
  Host host(channel, model);
  while (auto message = next()) host.hear(std::move(*message));
  return 0;
}

}  // namespace

int run_engine_host() {
  return security::on_known_stack(run_host);
}

}  // namespace ingle::assistant
