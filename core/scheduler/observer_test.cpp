// Answers that somebody looks at: what is told of them is what the passes computed, and the text stays the same.
#include "core/scheduler/observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <thread>

#include "core/engine/test_goldens.h"
#include "core/grammar/token_trie.h"
#include "core/scheduler/scheduler.h"

namespace ingle::core {
namespace {

struct Answer {
  std::string text;
  std::vector<ObservedToken> observed;
  GenerationStats stats;
  base::Error error;
};

class ObserverTest : public testing::Test {
 protected:
  ~ObserverTest() override { stop(); }

  void start(SchedulerOptions options = {}, const std::string& model = "llama.gguf") {
    EngineOptions engine_options;
    engine_options.threads = 2;
    engine_options.context_length = 512;
    engine_options.cache_folder = testing::TempDir();
    options.preload = false;
    scheduler_.reset();
    auto engine = Engine::load(golden_folder() / model, engine_options);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(engine).value();
    scheduler_ = std::make_unique<Scheduler>(*engine_, options);
    thread_ = std::thread([this] {
      while (scheduler_->wait()) scheduler_->step();
    });
  }
  void stop() {
    if (scheduler_) scheduler_->close();
    if (thread_.joinable()) thread_.join();
  }

  /// `layer_tokens`: for how many of them there is to be room.
  GenerationRequest request(uint64_t key, size_t layer_tokens = 0) const {
    GenerationRequest request;
    for (int i = 0; i < 40; ++i) request.prompt.push_back(5 + (i * i + static_cast<int>(key)) % 90);
    request.sampling = {.temperature = 0.9f, .top_k = 50, .top_p = 0.97f, .min_p = 0.01f, .seed = 7};
    request.reply.max_tokens = 24;
    request.reply.ignore_stop_tokens = true;
    request.principal = request.client = "somebody";
    request.observation.key = key;
    request.observation.layer_bytes = layer_tokens * engine_->inspector()->layer_floats() * sizeof(float);
    return request;
  }
  std::future<Answer> submit(GenerationRequest request) {
    auto answer = std::make_shared<Answer>();
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    const auto id = scheduler_->submit(std::move(request), [answer, promise](GenerationEvent&& event) {
      answer->text += event.text;
      for (ObservedToken& token : event.observed) answer->observed.push_back(std::move(token));
      answer->stats = event.stats;
      if (event.error) answer->error = *event.error;
      if (event.finished || event.error) promise->set_value(std::move(*answer));
    });
    EXPECT_TRUE(id.ok()) << id.error().message;
    return future;
  }
  /// What went through the layers is what chose each token, bit by bit.
  void expect_lens_of(uint64_t key, const Answer& answer, size_t first = 0) {
    for (uint32_t i = static_cast<uint32_t>(first); i < answer.observed.size(); ++i) {
      const auto lens = scheduler_->lens(key, i, 3);
      ASSERT_TRUE(lens.ok()) << lens.error().message;
      EXPECT_EQ(lens->back().probability, std::exp(answer.observed[i].logprob)) << i;
      EXPECT_EQ(lens->back().rank, answer.observed[i].rank);
      EXPECT_EQ(lens->back().entropy, answer.observed[i].entropy);
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Scheduler> scheduler_;
  std::thread thread_;
};

TEST_F(ObserverTest, ChangesNoTextAndTellsWhatLogprobsTell) {
  start();
  GenerationRequest plain = request(0);
  plain.logprobs = 0;
  const Answer unseen = submit(plain).get();
  EXPECT_TRUE(unseen.observed.empty());
  EXPECT_EQ(unseen.stats.observing_ms, 0);
  GenerationRequest seen = request(0, 100);
  seen.observation.key = 1;
  const Answer answer = submit(seen).get();
  EXPECT_EQ(answer.text, unseen.text);
  ASSERT_EQ(answer.observed.size(), 24u);
  EXPECT_GT(answer.stats.observing_ms, 0);
  for (const ObservedToken& token : answer.observed) {
    ASSERT_EQ(token.likeliest.size(), 10u);
    if (token.rank < 10) {
      EXPECT_EQ(token.likeliest[token.rank].token, token.token);
    }
    EXPECT_TRUE(std::ranges::is_sorted(token.likeliest, std::greater<>(), &TokenLogprob::logprob));
    EXPECT_GE(token.entropy, 0);
    EXPECT_GE(token.pass_rows, 1u);
    EXPECT_EQ(token.pass_sequences, 1u);
    EXPECT_GT(token.pass_ms, 0);
    EXPECT_FALSE(token.allowed);
    ASSERT_THAT(token.steps, testing::SizeIs(4));
    EXPECT_EQ(token.steps[0].name, "top_k");
    EXPECT_EQ(token.steps[0].left, 50u);
    EXPECT_EQ(token.steps[1].name, "top_p");
    EXPECT_EQ(token.steps[2].name, "min_p");
    EXPECT_EQ(token.steps[3].name, "temperature");
    // Each rule takes tokens away, so that what is left becomes likelier; the temperature only shifts.
    float before = std::exp(token.logprob);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_GE(token.steps[i].probability, before * 0.99999f);
      if (i > 0) {
        EXPECT_LE(token.steps[i].left, token.steps[i - 1].left);
      }
      before = token.steps[i].probability;
    }
    EXPECT_EQ(token.steps[3].left, token.steps[2].left);
    EXPECT_LE(token.steps[3].probability, 1.00001f);
  }
  expect_lens_of(1, answer);
}

TEST_F(ObserverTest, GreedyTokensAreTheLikeliest) {
  start();
  GenerationRequest seen = request(3);
  seen.sampling = {.temperature = 0, .repeat_penalty = 1.2f};
  for (const ObservedToken& token : submit(seen).get().observed) {
    ASSERT_THAT(token.steps, testing::SizeIs(2));
    EXPECT_EQ(token.steps[0].name, "penalties");
    EXPECT_EQ(token.steps[0].left, engine_->info().vocabulary_size);
    EXPECT_EQ(token.steps[1].name, "greedy");
    EXPECT_EQ(token.steps[1].left, 1u);
  }
}

TEST_F(ObserverTest, SeesThroughSeveralAtOnceAndGuesses) {
  for (const bool guesses : {false, true}) {
    start({.always_look_up = guesses});
    std::vector<std::future<Answer>> answers;
    const size_t count = guesses ? 1 : 2;  // no more are kept
    for (uint64_t key = 1; key <= count; ++key) {
      GenerationRequest seen = request(key, 100);
      if (guesses) {  // it repeats itself, so that guesses come true
        for (size_t i = 0; i < seen.prompt.size(); ++i) seen.prompt[i] = 5 + static_cast<TokenId>(i % 4);
        seen.sampling = {.temperature = 0};
        seen.reply.max_tokens = 60;
      }
      answers.push_back(submit(seen));
    }
    uint32_t guessed = 0;
    for (uint64_t key = 1; key <= count; ++key) {
      const Answer answer = answers[key - 1].get();
      for (const ObservedToken& token : answer.observed) guessed += token.guessed ? 1 : 0;
      EXPECT_EQ(guessed > 0, answer.stats.taken_tokens > 0);
      expect_lens_of(key, answer);
    }
    EXPECT_EQ(guessed > 0, guesses);
    stop();
  }
}

TEST_F(ObserverTest, KeepsTheLatestTokensThatThereIsRoomFor) {
  start();
  const Answer answer = submit(request(1, 5)).get();
  ASSERT_EQ(answer.observed.size(), 24u);
  for (uint32_t token = 0; token < 19; ++token)
    EXPECT_EQ(scheduler_->lens(1, token, 1).error().code, base::ErrorCode::not_found) << token;
  expect_lens_of(1, answer, 19);
  EXPECT_EQ(scheduler_->lens(1, 24, 1).error().code, base::ErrorCode::not_found);
  EXPECT_EQ(scheduler_->lens(2, 0, 1).error().code, base::ErrorCode::not_found);
  EXPECT_EQ(scheduler_->timeline(1).error().code, base::ErrorCode::not_found);
  // Of answers, too.
  for (uint64_t key = 2; key < 7; ++key) submit(request(key, 5)).wait();
  EXPECT_EQ(scheduler_->lens(1, 20, 1).error().code, base::ErrorCode::not_found);
  EXPECT_TRUE(scheduler_->lens(6, 20, 1).ok());
  scheduler_->forget("somebody");
  EXPECT_EQ(scheduler_->lens(6, 20, 1).error().code, base::ErrorCode::not_found);
}

TEST_F(ObserverTest, TellsWhereATokenLooked) {
  start();
  const Answer answer = submit(request(1, 100)).get();
  for (const uint32_t token : {0u, 5u, 23u}) {
    const auto found = scheduler_->attention(1, token, 1);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->position, 39 + token);
    const size_t count = found->position + 1 - found->first;
    for (uint32_t head = 0; head < found->heads; ++head) {
      double sum = 0;
      for (size_t i = 0; i < count; ++i) sum += found->weights[head * count + i];
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
  const auto map = scheduler_->memory_map();
  ASSERT_TRUE(map.ok());
  EXPECT_GT(map->arena_bytes, 0u);
}

TEST_F(ObserverTest, TheFormOfAnAnswerIsTold) {
  start();
  const Grammar grammar = Grammar::compile_gbnf("root ::= [0-9]{8}").value();
  GenerationRequest seen = request(1, 100);
  seen.reply.ignore_stop_tokens = false;
  seen.constraint = Constraint::make(grammar, std::make_shared<TokenTrie>(engine_->tokenizer()));
  const Answer answer = submit(seen).get();
  ASSERT_FALSE(answer.observed.empty());
  for (const ObservedToken& token : answer.observed) {
    ASSERT_TRUE(token.allowed);
    EXPECT_LT(*token.allowed, engine_->info().vocabulary_size);
    EXPECT_EQ(token.steps.front().name, "grammar");
    EXPECT_EQ(token.steps.front().left, *token.allowed);
    EXPECT_GE(token.steps.front().probability, std::exp(token.logprob) * 0.99999f);
  }
}

TEST_F(ObserverTest, ATimelineIsKeptOfTheLatestAnswer) {
  start();
  for (const uint64_t key : {1u, 2u}) {
    GenerationRequest seen = request(key);
    seen.observation.timeline_bytes = 1 << 20;
    submit(seen).wait();
    const auto timeline = scheduler_->timeline(key);
    ASSERT_TRUE(timeline.ok()) << timeline.error().message;
    EXPECT_TRUE(base::parse_json(*timeline).ok());
  }
  EXPECT_EQ(scheduler_->timeline(1).error().code, base::ErrorCode::not_found);
}

TEST_F(ObserverTest, IsNotAskedOnceItIsClosed) {
  start();
  submit(request(1, 5)).wait();
  stop();
  EXPECT_EQ(scheduler_->lens(1, 20, 1).error().code, base::ErrorCode::unavailable);
}

}  // namespace
}  // namespace ingle::core
