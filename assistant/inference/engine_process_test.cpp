// A model in a real, confined process: the same answers as here, and what happens when it ends, hangs or was tampered
// with. The test program starts itself again as that process.
#include "assistant/inference/engine_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "assistant/inference/channel.h"
#include "assistant/inference/engine_host.h"
#include "assistant/inference/local_model.h"
#include "base/test_source_folder.h"
#include "core/engine/test_goldens.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kHostFlag = "--engine-host";
constexpr const char* kDeafFlag = "--deaf-host";

/// Waits for the end of what was generated.
class Heard {
 public:
  core::EventSink sink() {
    return [this](core::GenerationEvent&& event) {
      const std::lock_guard lock(mutex_);
      EXPECT_FALSE(ended_) << "an event after the last";
      text_ += event.text;
      tokens_.insert(tokens_.end(), event.tokens.begin(), event.tokens.end());
      if (event.error) error_ = event.error;
      reason_ = event.finished;
      ended_ = event.finished || event.error;
      changed_.notify_all();
    };
  }
  bool wait_for_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [this] { return ended_; });
  }
  bool wait_for_text() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [this] { return !text_.empty() || ended_; });
  }
  // After the end.
  const std::string& text() const { return text_; }
  const std::vector<core::GeneratedToken>& tokens() const { return tokens_; }
  const std::optional<base::Error>& error() const { return error_; }
  std::optional<core::StopReason> reason() const { return reason_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  std::vector<core::GeneratedToken> tokens_;
  std::optional<base::Error> error_;
  std::optional<core::StopReason> reason_;
  bool ended_ = false;
};

class EngineProcessTest : public testing::Test {
 protected:
  EngineProcessTest() {
    std::string name = testing::TempDir() + "engine_process.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~EngineProcessTest() override { std::filesystem::remove_all(folder_); }

  EngineProcessOptions options(const std::filesystem::path& model = core::golden_folder() / "llama.gguf",
                               const char* flag = kHostFlag) {
    EngineProcessOptions options;
    options.name = "tiny";
    options.model = model;
    options.engine.threads = 2;
    options.engine.context_length = 512;
    options.engine.deterministic = true;
    options.engine.cache_folder = testing::TempDir();
    options.program = security::self_program();
    options.arguments = {"engine", flag};
    options.first_delay = milliseconds(20);
    options.sanitizers = security::kSanitizedBuild;
    options.notice = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      notices_ += line + "\n";
    };
    return options;
  }
  std::string notices() {
    const std::lock_guard lock(mutex_);
    return notices_;
  }
  /// One that has a folder of packed copies, for it alone.
  EngineProcessOptions keeping_options() {
    EngineProcessOptions keeping = options();
    keeping.engine.cache_folder = folder_ / "cache";
    keeping.engine.packed_copy_bytes = uint64_t{1} << 30;
    return keeping;
  }
  /// For what is to run until it is stopped.
  EngineProcessOptions long_options() {
    EngineProcessOptions with_context = options();
    with_context.engine.context_length = 1 << 16;
    return with_context;
  }
  static GenerationRequest request(uint32_t tokens, unsigned seed = 1) {
    GenerationRequest request;
    for (unsigned i = 0; i < 40; ++i) request.prompt.push_back(static_cast<core::TokenId>((i * 7 + seed) % 100));
    request.sampling = {.temperature = 1, .seed = seed};
    request.reply.max_tokens = tokens;
    request.reply.ignore_stop_tokens = true;
    request.principal = request.client = "somebody";
    return request;
  }
  static void wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
    EXPECT_TRUE(condition());
  }

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::string notices_;
};

TEST_F(EngineProcessTest, GivesWhatTheModelGivesHere) {
  const EngineProcessOptions asked = options();
  auto there = EngineProcess::start(asked);
  ASSERT_TRUE(there.ok()) << there.error().message;
  auto engine = core::Engine::load(asked.model, asked.engine);
  ASSERT_TRUE(engine.ok());
  LocalModel here("tiny", std::move(engine).value(), {});

  EXPECT_EQ((*there)->facts().info.vocabulary_size, here.info().vocabulary_size);
  EXPECT_EQ((*there)->facts().chat_template, here.facts().chat_template);
  EXPECT_EQ(&(*there)->dialect(), &here.dialect());
  EXPECT_EQ((*there)->facts().info.isa, here.info().isa);
  EXPECT_EQ((*there)->tokenize("some words", true, false).value(), here.tokenize("some words", true, false).value());
  const auto tokens = here.tokenize("some words", false, false).value();
  EXPECT_EQ((*there)->detokenize(tokens, true).value(), here.detokenize(tokens, true).value());
  for (const char* grammar : {"", "root ::= [0-9]+"}) {
    GenerationRequest each = request(40);
    each.logprobs = 3;
    each.grammar = grammar;
    Heard far, near;
    ASSERT_TRUE((*there)->generate(each, far.sink()).ok());
    ASSERT_TRUE(here.generate(each, near.sink()).ok());
    ASSERT_TRUE(far.wait_for_end() && near.wait_for_end());
    EXPECT_EQ(far.text(), near.text());
    EXPECT_EQ(far.reason(), near.reason());
    ASSERT_EQ(far.tokens().size(), near.tokens().size());
    for (size_t i = 0; i < far.tokens().size(); ++i) {
      EXPECT_EQ(far.tokens()[i].bytes, near.tokens()[i].bytes);
      EXPECT_EQ(far.tokens()[i].logprob, near.tokens()[i].logprob);
      EXPECT_EQ(far.tokens()[i].likeliest.size(), 3u);
    }
  }
  EXPECT_EQ((*there)->stats().value().finished, 2u);
}

TEST_F(EngineProcessTest, TellsErrorsAsTheModelDoes) {
  auto model = EngineProcess::start(options());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->check_grammar("root ::= (").error().code, ErrorCode::invalid_argument);
  GenerationRequest empty = request(1);
  empty.prompt.clear();
  EXPECT_EQ((*model)->generate(empty, [](core::GenerationEvent&&) { ADD_FAILURE(); }).error().code,
            ErrorCode::invalid_argument);
  GenerationRequest constrained = request(1);
  constrained.grammar = "root ::= (";
  EXPECT_EQ((*model)->generate(constrained, [](core::GenerationEvent&&) { ADD_FAILURE(); }).error().code,
            ErrorCode::invalid_argument);
  (*model)->close();
  EXPECT_EQ((*model)->generate(request(1), [](core::GenerationEvent&&) { ADD_FAILURE(); }).error().code,
            ErrorCode::busy);
}

TEST_F(EngineProcessTest, AModelThatCanNotBeLoadedSaysWhy) {
  const std::filesystem::path broken = folder_ / "broken.gguf";
  std::ofstream(broken) << "GGUF and nothing else";
  const auto model = EngineProcess::start(options(broken));
  ASSERT_FALSE(model.ok());
  const auto here = core::Engine::load(broken, options().engine);
  EXPECT_EQ(model.error().code, here.error().code);
  EXPECT_EQ(model.error().message, here.error().message);
  EXPECT_EQ(EngineProcess::start(options(folder_ / "none.gguf")).error().code, ErrorCode::not_found);
}

TEST_F(EngineProcessTest, ACheckpointIsHandedInWhole) {
  auto model = EngineProcess::start(options(core::golden_folder() / "llama3-hf"));
  ASSERT_TRUE(model.ok()) << model.error().message;
  Heard heard;
  ASSERT_TRUE((*model)->generate(request(8), heard.sink()).ok());
  ASSERT_TRUE(heard.wait_for_end());
  EXPECT_FALSE(heard.error());
}

TEST_F(EngineProcessTest, CancelsWhatRuns) {
  auto model = EngineProcess::start(long_options());
  ASSERT_TRUE(model.ok()) << model.error().message;
  Heard heard;
  const auto id = (*model)->generate(request(100'000), heard.sink());
  ASSERT_TRUE(id.ok());
  ASSERT_TRUE(heard.wait_for_text());
  (*model)->cancel(*id);
  ASSERT_TRUE(heard.wait_for_end());
  EXPECT_EQ(heard.reason(), core::StopReason::cancelled);
}

TEST_F(EngineProcessTest, ItsDeathFailsItsRequestsAndItRunsAgain) {
  auto model = EngineProcess::start(long_options());
  ASSERT_TRUE(model.ok()) << model.error().message;
  Heard before;
  ASSERT_TRUE((*model)->generate(request(16), before.sink()).ok());
  ASSERT_TRUE(before.wait_for_end());
  Heard cut;
  ASSERT_TRUE((*model)->generate(request(100'000), cut.sink()).ok());
  ASSERT_TRUE(cut.wait_for_text());
  const auto first = (*model)->process();
  ASSERT_TRUE(first);
  // A sanitizer looks at it before its process ends, for which it starts another, which is forbidden.
  const int signal = security::kSanitizedBuild ? SIGKILL : SIGSEGV;
  ::kill(*first, signal);
  ASSERT_TRUE(cut.wait_for_end());
  ASSERT_TRUE(cut.error());
  EXPECT_EQ(cut.error()->code, ErrorCode::unavailable);
  EXPECT_THAT(cut.error()->message, HasSubstr(std::string("SIG") + ::sigabbrev_np(signal)));
  wait_until([&] { return (*model)->process() && *(*model)->process() != *first; });
  Heard after;
  ASSERT_TRUE((*model)->generate(request(16), after.sink()).ok());
  ASSERT_TRUE(after.wait_for_end());
  EXPECT_EQ(after.text(), before.text());
  EXPECT_THAT(notices(), HasSubstr("tiny was killed by signal " + std::to_string(signal)));
  EXPECT_THAT(notices(), HasSubstr("tiny runs again"));
}

TEST_F(EngineProcessTest, OneThatDoesNotAnswerIsEnded) {
  EngineProcessOptions deaf = options(core::golden_folder() / "llama.gguf", kDeafFlag);
  deaf.patience = milliseconds(300);
  auto model = EngineProcess::start(deaf);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto first = (*model)->process();
  const auto tokens = (*model)->tokenize("words", false, false);
  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.error().code, ErrorCode::unavailable);
  wait_until([&] { return (*model)->process() && (*model)->process() != first; });
}

// The weights of one model are packed once, by a process that can name no file.
TEST_F(EngineProcessTest, KeepsThePackedWeightsForTheNextStart) {
  const auto copies = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "cache" / "packed"))
      names.push_back(entry.path().filename().string());
    return names;
  };
  for (const char* weights : {"packed, copy kept", "copy"}) {
    {
      auto model = EngineProcess::start(keeping_options());
      ASSERT_TRUE(model.ok()) << model.error().message;
      EXPECT_EQ((*model)->info().weights, weights);
    }
    ASSERT_EQ(copies().size(), 1u);
    EXPECT_TRUE(copies().front().ends_with(".packed"));
  }
  // The same that a process with paths uses.
  const EngineProcessOptions asked = keeping_options();
  EXPECT_EQ(core::Engine::load(asked.model, asked.engine).value()->info().weights, "copy");
}

TEST_F(EngineProcessTest, MessagesThatAreNoneAreRefused) {
  EXPECT_FALSE(decode<messages::FromEngine>(""));
  EXPECT_FALSE(decode<messages::FromEngine>(std::string(1, '\x63')));
  messages::Loaded loaded;
  loaded.facts.name = "model";
  std::string bytes = encode(messages::FromEngine(loaded));
  ASSERT_TRUE(decode<messages::FromEngine>(bytes));
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode<messages::FromEngine>(bytes.substr(0, length))) << length;
  EXPECT_FALSE(decode<messages::FromEngine>(bytes + "x"));
  // A list that says it is longer than what is there takes no memory.
  std::string huge = encode(messages::FromEngine(messages::Reply{1, std::vector<core::TokenId>{}}));
  huge[huge.size() - 1] = '\x7f';
  EXPECT_FALSE(decode<messages::FromEngine>(huge));
}

// Else they would lead the fuzzer nowhere: a new member goes into them, too.
TEST_F(EngineProcessTest, TheFuzzersSeedsAreMessages) {
  size_t seeds = 0;
  for (const auto& seed : std::filesystem::directory_iterator(source_folder() + "/tests/data/fuzz/messages_fuzz")) {
    const std::string bytes = base::read_file(seed.path(), 1 << 20).value();
    EXPECT_TRUE(decode<messages::FromEngine>(bytes) || decode<messages::ToEngine>(bytes)) << seed.path();
    ++seeds;
  }
  EXPECT_GT(seeds, 10u);
}

/// Says that it has loaded, and nothing more.
int run_deaf_host() {
  Channel channel(base::FileDescriptor(kFromStarterFd), base::FileDescriptor(kToStarterFd), milliseconds(1000));
  if (!channel.receive().ok()) return 1;
  messages::Loaded loaded;
  static_cast<void>(channel.send(encode(messages::FromEngine(loaded))));
  for (;;) ::pause();
}

}  // namespace
}  // namespace ingle::assistant

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string_view(ingle::assistant::kHostFlag)) return ingle::assistant::run_engine_host();
  if (argc == 2 && argv[1] == std::string_view(ingle::assistant::kDeafFlag)) return ingle::assistant::run_deaf_host();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
