// The scheduler, pass by pass, on tiny models: every text is what the request alone gives, whatever runs beside it.
#include "core/scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "core/engine/generate.h"
#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

using testing::Gt;
using testing::HasSubstr;
using testing::Le;

/// What a sink was told.
struct Heard {
  std::string text;
  std::vector<GeneratedToken> tokens;
  std::optional<StopReason> finished;
  std::optional<base::Error> error;
  GenerationStats stats;
  int events = 0, starts = 0;
  int64_t ended_at = -1;  ///< in order of endings

  bool ended() const { return finished || error; }
};

class SchedulerTest : public testing::Test {
 protected:
  void load(const std::string& model = "llama.gguf", uint32_t context = 512) {
    scheduler_.reset();
    EngineOptions options;
    options.threads = 2;
    options.context_length = context;
    options.deterministic = true;
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(golden_folder() / model, options);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(engine).value();
  }
  Scheduler& make(const SchedulerOptions& options = {}) {
    scheduler_ = std::make_unique<Scheduler>(*engine_, options);
    endings_ = 0;
    return *scheduler_;
  }

  GenerationRequest request(size_t prompt_tokens, unsigned seed, uint32_t answer_tokens) const {
    GenerationRequest request;
    std::mt19937 random(seed);
    for (size_t i = 0; i < prompt_tokens; ++i)
      request.prompt.push_back(static_cast<TokenId>(random() % engine_->info().vocabulary_size));
    request.sampling = {.temperature = 1, .seed = seed};
    request.reply.max_tokens = answer_tokens;
    request.reply.ignore_stop_tokens = true;
    request.principal = request.client = "somebody";
    return request;
  }
  /// Nothing runs beside it.
  GenerateResult alone(const GenerationRequest& request) {
    GenerateOptions options;
    static_cast<ReplyOptions&>(options) = request.reply;
    options.sampling = request.sampling;
    const auto sequence = engine_->new_sequence().value();
    return generate(*engine_, *sequence, request.prompt, options, {}).value();
  }
  RequestId submit(GenerationRequest request, Heard& heard) {
    auto id = scheduler_->submit(std::move(request), [this, &heard](GenerationEvent&& event) {
      EXPECT_FALSE(heard.ended()) << "an event after the last";
      heard.text += event.text;
      heard.tokens.insert(heard.tokens.end(), event.tokens.begin(), event.tokens.end());
      heard.finished = event.finished;
      heard.error = std::move(event.error);
      heard.stats = event.stats;
      heard.starts += event.started ? 1 : 0;
      ++heard.events;
      if (!heard.ended()) return;
      heard.ended_at = endings_++;
      const SchedulerStats stats = scheduler_->stats();  // counted before anybody hears of it
      EXPECT_EQ(stats.finished + stats.cancelled + stats.failed, static_cast<uint64_t>(endings_));
      EXPECT_GE(stats.generated_tokens, heard.stats.generated_tokens);
    });
    EXPECT_TRUE(id.ok()) << id.error().message;
    return id ? *id : 0;
  }
  void run_all() {
    for (int passes = 0; scheduler_->step(); ++passes) ASSERT_LT(passes, 10000);
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Scheduler> scheduler_;
  int64_t endings_ = 0;
};

TEST_F(SchedulerTest, ARequestGetsTheTextThatItGetsAlone) {
  load();
  for (const float temperature : {0.0f, 1.0f}) {
    make();
    GenerationRequest one = request(70, 1, 40);
    one.sampling.temperature = temperature;
    const GenerateResult expected = alone(one);
    Heard heard;
    submit(one, heard);
    run_all();
    EXPECT_EQ(heard.text, expected.text);
    EXPECT_EQ(heard.finished, StopReason::length);
    EXPECT_EQ(heard.stats.prompt_tokens, 70u);
    EXPECT_EQ(heard.stats.generated_tokens, 40u);
    EXPECT_EQ(heard.starts, 1);
    EXPECT_THAT(heard.events, Gt(1));
  }
}

TEST_F(SchedulerTest, ManyTogetherGetTheirOwnTexts) {
  for (const char* model : {"llama.gguf", "gemma3.gguf"}) {
    SCOPED_TRACE(model);
    load(model);
    make({.max_running = 5});
    std::vector<GenerationRequest> requests;
    for (unsigned i = 0; i < 12; ++i) {
      requests.push_back(request(5 + 23 * i, i, 10 + i));
      if (i % 3 == 0) requests.back().sampling = {.temperature = 0};  // looks at the best logit only
      if (i % 3 == 1) requests.back().sampling.top_k = 7;
    }
    std::vector<GenerateResult> expected;
    for (const auto& each : requests) expected.push_back(alone(each));
    std::vector<Heard> heard(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) submit(requests[i], heard[i]);
    run_all();
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(heard[i].text, expected[i].text) << i;
      EXPECT_EQ(heard[i].finished, StopReason::length) << i;
    }
    EXPECT_EQ(scheduler_->stats().finished, 12u);
    // Together they take fewer passes than their tokens are.
    EXPECT_THAT(scheduler_->stats().passes, Le(scheduler_->stats().generated_tokens));
  }
}

TEST_F(SchedulerTest, ACancelledRequestEndsBeforeTheNextPassAndTheOthersGoOn) {
  load();
  make({.max_running = 2});
  GenerationRequest a = request(20, 1, 30), b = request(20, 2, 30), waiting = request(20, 3, 30);
  const GenerateResult expected = alone(b);
  Heard heard_a, heard_b, heard_waiting;
  const RequestId id = submit(a, heard_a);
  submit(b, heard_b);
  const RequestId third = submit(waiting, heard_waiting);
  for (int i = 0; i < 5; ++i) scheduler_->step();
  EXPECT_FALSE(heard_a.ended());
  scheduler_->cancel(id);
  scheduler_->cancel(third);
  scheduler_->step();
  EXPECT_EQ(heard_a.finished, StopReason::cancelled);
  EXPECT_EQ(heard_waiting.finished, StopReason::cancelled);
  EXPECT_EQ(heard_waiting.text, "");
  run_all();
  EXPECT_EQ(heard_b.text, expected.text);
  EXPECT_EQ(scheduler_->stats().cancelled, 2u);
}

TEST_F(SchedulerTest, APrefixServesItsPrincipalOnly) {
  for (const char* model : {"llama.gguf", "gemma3.gguf"}) {
    SCOPED_TRACE(model);
    load(model);
    make();
    const GenerationRequest first = request(200, 1, 4);
    GenerationRequest second = first;
    for (const TokenId token : request(30, 2, 1).prompt) second.prompt.push_back(token);
    GenerationRequest stranger = second;
    stranger.principal = "somebody else";
    GenerationRequest private_one = second;
    private_one.keep_prefix = false;
    const GenerateResult expected = alone(second);
    Heard heard;
    submit(first, heard);
    run_all();
    EXPECT_EQ(heard.stats.cached_tokens, 0u);
    for (const auto& [asked, cached] :
         {std::pair(&stranger, 0u), std::pair(&private_one, 0u), std::pair(&second, 200u)}) {
      Heard again;
      submit(*asked, again);
      run_all();
      EXPECT_EQ(again.stats.cached_tokens, cached);
      EXPECT_EQ(again.text, expected.text);
    }
    scheduler_->forget("somebody");
    Heard forgotten;
    submit(second, forgotten);
    run_all();
    EXPECT_EQ(forgotten.stats.cached_tokens, 0u);
    EXPECT_EQ(forgotten.text, expected.text);

    scheduler_->forget("somebody");
    scheduler_->step();
    Heard meanwhile, after, new_one;
    submit(first, meanwhile);
    for (int i = 0; i < 2; ++i) scheduler_->step();
    EXPECT_FALSE(meanwhile.ended());
    scheduler_->forget("somebody");
    run_all();
    submit(second, after);
    run_all();
    EXPECT_EQ(after.stats.cached_tokens, 0u) << "nor what was computed just then";
    scheduler_->forget("somebody");
    submit(second, new_one);
    run_all();
    EXPECT_EQ(new_one.stats.cached_tokens, 0u);
    Heard last;
    submit(second, last);
    run_all();
    EXPECT_EQ(last.stats.cached_tokens, second.prompt.size() - 1) << "what came later is kept";
  }
}

// As when several answers to one question are wanted.
TEST_F(SchedulerTest, APromptIsComputedOnceForAllWhoAskForIt) {
  load();
  make();
  std::vector<Heard> heard(4);
  std::vector<GenerateResult> expected;
  for (size_t i = 0; i < heard.size(); ++i) {
    GenerationRequest one = request(150, 9, 12);
    one.sampling.seed = i;
    expected.push_back(alone(one));
    submit(one, heard[i]);
  }
  run_all();
  for (size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].stats.cached_tokens, i == 0 ? 0u : 149u);
    EXPECT_EQ(heard[i].text, expected[i].text);
  }
}

TEST_F(SchedulerTest, WhereMemoryIsShortSomeWaitAndNoTextChanges) {
  load("llama.gguf", 1024);
  SchedulerOptions options;
  options.state_bytes = engine_->sequence_bytes(1000);
  make(options);
  std::vector<Heard> heard(5);
  std::vector<GenerateResult> expected;
  for (unsigned i = 0; i < heard.size(); ++i) {
    const GenerationRequest one = request(60, i, 320);
    expected.push_back(alone(one));
    submit(one, heard[i]);
  }
  for (int passes = 0; scheduler_->step(); ++passes) {
    ASSERT_LT(passes, 20000);
    ASSERT_THAT(engine_->sequence_bytes_in_use(), Le(options.state_bytes));
  }
  for (size_t i = 0; i < heard.size(); ++i) EXPECT_EQ(heard[i].text, expected[i].text) << i;
  EXPECT_THAT(scheduler_->stats().preempted, Gt(0u));
}

TEST_F(SchedulerTest, WhatOutgrowsTheMemoryEndsAsWhereTheContextIsFull) {
  load();
  SchedulerOptions options;
  options.state_bytes = engine_->sequence_bytes(200);
  make(options);
  Heard heard;
  submit(request(60, 1, 0), heard);
  run_all();
  EXPECT_EQ(heard.finished, StopReason::context_full);
  EXPECT_THAT(heard.stats.generated_tokens, Gt(100u));
  GenerationRequest too_long = request(300, 1, 1);
  const auto refused = scheduler_->submit(too_long, [](GenerationEvent&&) {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::limit_exceeded);
}

TEST_F(SchedulerTest, TheContextIsALimit) {
  load("llama.gguf", 128);
  make();
  const GenerationRequest fits = request(100, 1, 0);
  const GenerateResult expected = alone(fits);
  Heard heard;
  submit(fits, heard);
  run_all();
  EXPECT_EQ(heard.finished, StopReason::context_full);
  EXPECT_EQ(heard.text, expected.text);
  const auto refused = scheduler_->submit(request(128, 1, 1), [](GenerationEvent&&) {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::limit_exceeded);
  EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("128 tokens"), HasSubstr("holds 128")));
}

TEST_F(SchedulerTest, InteractiveRequestsPassBackgroundOnes) {
  load();
  make({.max_running = 4});
  std::vector<Heard> background(3), interactive(3);
  for (unsigned i = 0; i < 3; ++i) {
    GenerationRequest one = request(20, i, 20);
    one.priority = Priority::background;
    submit(one, background[i]);
  }
  for (int i = 0; i < 3; ++i) scheduler_->step();
  for (unsigned i = 0; i < 3; ++i) submit(request(20, 10 + i, 20), interactive[i]);
  int passes_beside = 0;
  const auto tokens = [&] { return background[0].stats.generated_tokens; };
  const uint32_t before = tokens();
  while (!interactive[0].ended()) {
    scheduler_->step();
    ++passes_beside;
  }
  EXPECT_THAT(tokens() - before, Le(static_cast<uint32_t>(passes_beside) / 8 + 1));
  EXPECT_THAT(tokens(), Gt(before)) << "starved";
  run_all();
  for (const Heard& each : background) EXPECT_EQ(each.finished, StopReason::length);
  for (const Heard& each : interactive) EXPECT_THAT(each.ended_at, Le(2));
}

// One client sends many requests, another one: it does not wait for all of the first's.
TEST_F(SchedulerTest, AClientWithOneRequestDoesNotWaitForAnothersMany) {
  load();
  make({.max_running = 2});
  std::vector<Heard> greedy(10);
  Heard modest;
  for (unsigned i = 0; i < greedy.size(); ++i) {
    GenerationRequest one = request(30, i, 10);
    one.client = "greedy";
    submit(one, greedy[i]);
  }
  scheduler_->step();
  GenerationRequest one = request(30, 100, 10);
  one.client = "modest";
  submit(one, modest);
  run_all();
  EXPECT_THAT(modest.ended_at, Le(3));
}

// Of prompts that come together, the first is answered long before all are computed.
TEST_F(SchedulerTest, PromptsAreComputedOneAfterTheOther) {
  load();
  make({.pass_ms = 0, .lone_pass_ms = 0});
  std::vector<Heard> heard(4);
  for (unsigned i = 0; i < heard.size(); ++i) {
    GenerationRequest one = request(128, i, 1);
    one.client = std::to_string(i);
    submit(one, heard[i]);
  }
  int passes = 0;
  std::vector<int> ended(heard.size());
  while (scheduler_->step()) {
    ++passes;
    for (size_t i = 0; i < heard.size(); ++i)
      if (heard[i].ended() && ended[i] == 0) ended[i] = passes;
  }
  for (size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].ended_at, static_cast<int64_t>(i));
    EXPECT_THAT(ended[i], Le(passes * static_cast<int>(i + 1) / 4 + 1)) << i;
  }
}

TEST_F(SchedulerTest, AFullQueueRefusesAndSaysWhenToComeBack) {
  load();
  make({.max_running = 1, .max_waiting = 2});
  std::vector<Heard> heard(2);
  for (unsigned i = 0; i < 2; ++i) submit(request(20, i, 5), heard[i]);
  const auto refused = scheduler_->submit(request(20, 3, 5), [](GenerationEvent&&) {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::busy);
  EXPECT_EQ(scheduler_->stats().refused, 1u);
  EXPECT_THAT(scheduler_->stats().retry_after_s, testing::AllOf(testing::Ge(1.0), Le(60.0)));
  run_all();
  Heard again;
  submit(request(20, 3, 5), again);
  run_all();
  EXPECT_EQ(again.finished, StopReason::length);
}

TEST_F(SchedulerTest, WhoIsRefusedIsToComeBackWhenTheOthersHaveHadTheirTurn) {
  load();
  make({.max_running = 1});
  std::vector<Heard> heard(60);
  std::vector<RequestId> ids;
  for (unsigned i = 0; i < heard.size(); ++i) ids.push_back(submit(request(4, i, 1), heard[i]));
  constexpr int kEnds = 6;
  constexpr std::chrono::milliseconds kBetween(50);
  for (int i = 0; i < kEnds; ++i) {
    // Who goes while he waits gives no place to anybody.
    scheduler_->cancel(ids.back());
    ids.pop_back();
    ASSERT_TRUE(scheduler_->step());
    ASSERT_EQ(endings_, 2 * (i + 1));
    std::this_thread::sleep_for(kBetween);
  }
  const SchedulerStats stats = scheduler_->stats();
  EXPECT_EQ(stats.waiting, heard.size() - 2 * kEnds);
  const double turns = stats.waiting * std::chrono::duration<double>(kBetween).count();
  EXPECT_THAT(stats.retry_after_s, testing::AllOf(testing::Ge(turns), Le(60.0)));
  // After a pause there is nobody to wait for.
  scheduler_->cancel_all();
  run_all();
  EXPECT_EQ(scheduler_->stats().retry_after_s, 1.0);
}

TEST_F(SchedulerTest, LogProbabilitiesAreOfTheModelAlone) {
  load();
  make();
  GenerationRequest one = request(20, 4, 6);
  one.logprobs = 3;
  one.sampling.temperature = 1.7f;
  one.sampling.logit_bias = {{5, 2.0f}};
  GenerationRequest plain = request(20, 5, 6);
  plain.sampling = {.temperature = 0};
  const std::string expected = alone(one).text, expected_plain = alone(plain).text;
  Heard heard, beside;
  submit(one, heard);
  submit(plain, beside);
  run_all();
  EXPECT_EQ(heard.text, expected);
  EXPECT_EQ(beside.text, expected_plain);
  ASSERT_EQ(heard.tokens.size(), 6u);
  const auto sequence = engine_->new_sequence().value();
  std::vector<TokenId> next = one.prompt;
  for (const GeneratedToken& token : heard.tokens) {
    const auto logits = engine_->forward(*sequence, next, LogitRows::last).value();
    double sum = 0;
    for (const float logit : logits) sum += std::exp(double{logit});
    const auto logprob = [&](TokenId id) { return double{logits[static_cast<size_t>(id)]} - std::log(sum); };
    EXPECT_NEAR(token.logprob, logprob(token.token), 1e-4);
    ASSERT_EQ(token.likeliest.size(), 3u);
    EXPECT_NEAR(token.likeliest[0].logprob, double{*std::ranges::max_element(logits)} - std::log(sum), 1e-4);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(token.likeliest[i].logprob, logprob(token.likeliest[i].token), 1e-4);
      if (i > 0) {
        EXPECT_GE(token.likeliest[i - 1].logprob, token.likeliest[i].logprob);
      }
    }
    next = {token.token};
  }
}

// Beside a request that looks at one logit only.
TEST_F(SchedulerTest, AnAnswerKeepsToItsGrammar) {
  load();
  make();
  const auto grammar = Grammar::compile_gbnf("root ::= (\"a\" | \"bc\") [0-9]{3}");
  ASSERT_TRUE(grammar.ok()) << grammar.error().message;
  const auto constraint = Constraint::make(*grammar, std::make_shared<TokenTrie>(engine_->tokenizer()));
  GenerationRequest plain = request(20, 5, 12);
  plain.sampling = {.temperature = 0};
  const std::string expected = alone(plain).text;
  std::vector<Heard> heard(6);
  for (unsigned i = 0; i < heard.size(); ++i) {
    GenerationRequest one = request(20, i, 40);
    one.constraint = constraint;
    one.reply.ignore_stop_tokens = i % 2 == 0;
    submit(one, heard[i]);
  }
  Heard beside;
  submit(plain, beside);
  run_all();
  for (const Heard& each : heard) {
    EXPECT_THAT(each.text, testing::MatchesRegex("(a|bc)[0-9][0-9][0-9]"));
    EXPECT_EQ(each.finished, StopReason::stop_token);
  }
  EXPECT_EQ(beside.text, expected);
}

/// Two schedulers answer the same request, one of them computing ahead: the same events' worth of everything.
class ComputedAhead : public SchedulerTest {
 protected:
  /// How many of its tokens were computed ahead.
  uint32_t compare(const GenerationRequest& request, const std::string& what) {
    SCOPED_TRACE(what);
    Heard plain, ahead;
    make({.lookup = false});
    submit(request, plain);
    run_all();
    EXPECT_EQ(plain.stats.proposed_tokens, 0u);
    const uint64_t passes = scheduler_->stats().passes;
    make({.always_look_up = true});
    submit(request, ahead);
    run_all();
    EXPECT_EQ(ahead.text, plain.text);
    EXPECT_EQ(ahead.finished, plain.finished);
    EXPECT_EQ(ahead.stats.generated_tokens, plain.stats.generated_tokens);
    EXPECT_EQ(ahead.stats.state_bytes, plain.stats.state_bytes);
    EXPECT_EQ(ahead.tokens.size(), plain.tokens.size());
    for (size_t i = 0; i < std::min(ahead.tokens.size(), plain.tokens.size()); ++i) {
      EXPECT_EQ(ahead.tokens[i].token, plain.tokens[i].token) << i;
      EXPECT_EQ(ahead.tokens[i].logprob, plain.tokens[i].logprob) << i;
    }
    EXPECT_THAT(ahead.stats.taken_tokens, Le(ahead.stats.proposed_tokens));
    EXPECT_EQ(scheduler_->stats().passes + ahead.stats.taken_tokens, passes) << "each token taken saves a pass";
    EXPECT_EQ(scheduler_->stats().taken_tokens, ahead.stats.taken_tokens);
    EXPECT_EQ(scheduler_->stats().proposed_tokens, ahead.stats.proposed_tokens);
    // What it left for the next is its text, and nothing that was only proposed.
    GenerationRequest next = request;
    next.constraint = nullptr;
    next.logprobs = -1;
    next.reply.stop_strings.clear();
    next.reply.max_tokens = 3;
    const std::vector<TokenId> answer = engine_->tokenizer().encode(ahead.text);
    next.prompt.insert(next.prompt.end(), answer.begin(), answer.end());
    if (next.prompt.size() + 3 < engine_->info().context_length) {
      Heard again;
      submit(next, again);
      run_all();
      EXPECT_EQ(again.text, alone(next).text);
    }
    return ahead.stats.taken_tokens;
  }
  /// An answer of three tokens only, so that it repeats itself.
  GenerationRequest repetitive(uint32_t answer_tokens) const {
    GenerationRequest one = request(60, 3, answer_tokens);
    one.sampling = {.temperature = 0, .logit_bias = {{40, 100}, {41, 100}, {42, 100}}};
    return one;
  }
};

TEST_F(ComputedAhead, GivesTheSameAnswer) {
  for (const char* model : {"llama.gguf", "gemma3.gguf"}) {
    SCOPED_TRACE(model);
    load(model);
    const GenerationRequest plain = repetitive(100);
    EXPECT_THAT(compare(plain, "the likeliest of three tokens"), Gt(10u));
    for (uint32_t most = 1; most < 12; ++most) compare(repetitive(most), "max_tokens " + std::to_string(most));
    GenerationRequest drawn = plain;
    drawn.sampling = {.temperature = 0};
    const uint32_t taken = compare(drawn, "the likeliest of all");
    if (model == std::string("gemma3.gguf")) {
      EXPECT_THAT(taken, Gt(10u)) << "it repeats itself";
    }
    drawn.sampling = {.temperature = 0.5f, .top_k = 5, .seed = 7};
    compare(drawn, "drawn of the best");
    drawn.sampling = {.temperature = 0.5f, .repeat_penalty = 1.1f, .seed = 7};
    compare(drawn, "drawn of all, with penalties");
    GenerationRequest told = plain;
    told.logprobs = 2;
    EXPECT_THAT(compare(told, "log-probabilities"), Gt(10u));
    GenerationRequest endless = plain;
    endless.reply.max_tokens = 0;
    EXPECT_THAT(compare(endless, "to the end of the context"), Gt(10u));
    const auto grammar = Grammar::compile_gbnf("root ::= (\"ab\" | \"cd\")+ | [0-9]{60}");
    ASSERT_TRUE(grammar.ok()) << grammar.error().message;
    GenerationRequest formed = plain;
    formed.constraint = Constraint::make(*grammar, std::make_shared<TokenTrie>(engine_->tokenizer()));
    EXPECT_THAT(compare(formed, "in a form"), Gt(10u));
    const std::string text = alone(plain).text;
    for (const size_t at : {size_t{20}, size_t{31}, size_t{40}}) {
      GenerationRequest stopped = plain;
      stopped.reply.stop_strings = {text.substr(at, 4)};
      compare(stopped, "a stop string at " + std::to_string(at));
    }
  }
}

// Whoever comes meanwhile is computed beside it, and it goes on alone when they have gone.
TEST_F(ComputedAhead, OthersComeAndGo) {
  load();
  const GenerationRequest one = repetitive(300), other = request(40, 9, 20);
  const std::string expected = alone(one).text, expected_other = alone(other).text;
  make({.always_look_up = true});
  Heard heard;
  std::vector<Heard> others(3);
  const RequestId id = submit(one, heard);
  for (Heard& each : others) {
    for (int i = 0; i < 4; ++i) scheduler_->step();
    ASSERT_FALSE(heard.ended());
    submit(other, each);
    while (!each.ended()) ASSERT_TRUE(scheduler_->step());
    EXPECT_EQ(each.text, expected_other);
  }
  run_all();
  EXPECT_EQ(heard.text, expected);
  EXPECT_EQ(heard.finished, StopReason::length);
  EXPECT_THAT(heard.stats.taken_tokens, Gt(50u));

  // One that goes in the middle leaves a text that the next one of the kind goes on from.
  Heard gone, again;
  const RequestId second = submit(one, gone);
  EXPECT_NE(second, id);
  for (int i = 0; i < 5; ++i) scheduler_->step();
  scheduler_->cancel(second);
  run_all();
  EXPECT_EQ(gone.finished, StopReason::cancelled);
  submit(one, again);
  run_all();
  EXPECT_EQ(again.text, expected);
}

// Nothing is computed ahead where memory suffices for one token at a time, and an answer ends where it ends without.
TEST_F(ComputedAhead, KeepsToThePromisedMemory) {
  load();
  SchedulerOptions options;
  options.state_bytes = engine_->sequence_bytes(192);  // whole pages
  for (const size_t shorter : {0, 1, 2, 3}) {
    GenerationRequest request = repetitive(0);
    request.prompt.resize(request.prompt.size() - shorter);
    Heard plain, ahead;
    for (const bool lookup : {false, true}) {
      options.lookup = options.always_look_up = lookup;
      make(options);
      submit(request, lookup ? ahead : plain);
      while (scheduler_->step()) ASSERT_THAT(engine_->sequence_bytes_in_use(), Le(options.state_bytes));
    }
    EXPECT_EQ(ahead.finished, StopReason::context_full);
    EXPECT_EQ(ahead.text, plain.text);
    EXPECT_EQ(ahead.stats.generated_tokens, plain.stats.generated_tokens);
  }
}

TEST_F(SchedulerTest, RefusesWhatMakesNoSense) {
  load();
  make();
  const auto code = [&](const GenerationRequest& asked) {
    const auto id = scheduler_->submit(asked, [](GenerationEvent&&) {});
    return id.ok() ? std::optional<base::ErrorCode>() : id.error().code;
  };
  GenerationRequest none = request(0, 1, 1), unknown = request(5, 1, 1), hot = request(5, 1, 1);
  unknown.prompt[2] = static_cast<TokenId>(engine_->info().vocabulary_size);
  hot.sampling.temperature = -1;
  EXPECT_EQ(code(none), base::ErrorCode::invalid_argument);
  EXPECT_EQ(code(unknown), base::ErrorCode::invalid_argument);
  EXPECT_EQ(code(hot), base::ErrorCode::invalid_argument);
  EXPECT_FALSE(scheduler_->step());
}

TEST_F(SchedulerTest, NoTextDependsOnThePace) {
  load();
  Scheduler& scheduler = make();
  std::vector<GenerationRequest> requests;
  for (unsigned i = 0; i < 6; ++i) requests.push_back(request(10 + 40 * i, i, 30));
  std::vector<GenerateResult> expected;
  for (const auto& each : requests) expected.push_back(alone(each));
  std::vector<Heard> heard(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) submit(requests[i], heard[i]);
  const Pace paces[] = {{.threads = 1},
                        {},
                        {.threads = 1, .max_running = 2, .pass_ms = 0},
                        {.pass_ms = 3, .rest = 0.5},
                        {.threads = 0, .max_running = 0, .pass_ms = -1}};
  for (size_t pass = 0; scheduler.step(); ++pass) scheduler.set_pace(paces[pass % std::size(paces)]);
  for (size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(heard[i].text, expected[i].text) << i;
}

TEST_F(SchedulerTest, APaceLimitsWhatBeginsAndHowLongPassesAre) {
  load();
  Scheduler& scheduler = make({.pass_ms = 1e9, .lone_pass_ms = 1e9});
  std::vector<Heard> heard(5);
  for (unsigned i = 0; i < 3; ++i) submit(request(10, i, 100), heard[i]);
  scheduler.step();
  EXPECT_EQ(scheduler.stats().running, 3u);
  // Those go on, the next one waits.
  scheduler.set_pace({.max_running = 2, .pass_ms = 0});
  submit(request(300, 3, 1), heard[3]);
  scheduler.step();
  EXPECT_EQ(scheduler.stats().running, 3u);
  EXPECT_EQ(scheduler.stats().waiting, 1u);
  // Now it has a place, and sixteen rows of each pass.
  scheduler.set_pace({.pass_ms = 0});
  int passes = 0;
  while (!heard[3].ended()) scheduler.step(), ++passes;
  EXPECT_EQ(passes, (300 + 15) / 16);
  scheduler.set_pace({});
  submit(request(300, 4, 1), heard[4]);
  for (passes = 0; !heard[4].ended(); ++passes) scheduler.step();
  EXPECT_THAT(passes, Le(2));
}

// Half of the time and more, but it does not keep those waiting who go.
TEST_F(SchedulerTest, RestsBetweenPasses) {
  load();
  Scheduler& scheduler = make();
  Heard heard;
  const RequestId id = submit(request(400, 1, 20), heard);
  double computing = 0, resting = 0;
  const auto seconds = [](auto since) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
  };
  scheduler.set_pace({.rest = 0.5});
  for (int pass = 0; pass < 10; ++pass) {
    const auto begin = std::chrono::steady_clock::now();
    scheduler.step();
    computing += seconds(begin);
    const auto end = std::chrono::steady_clock::now();
    EXPECT_TRUE(scheduler.wait());
    resting += seconds(end);
  }
  EXPECT_GT(resting, computing * 0.8);  // a step does a little beside its pass
  scheduler.set_pace({.rest = 5});      // as much as there may be
  scheduler.step();
  scheduler.cancel(id);
  EXPECT_TRUE(scheduler.wait());
  scheduler.step();
  EXPECT_EQ(heard.finished, StopReason::cancelled);
}

TEST_F(SchedulerTest, ServesManyThreadsAndClosesWhenAllIsDone) {
  load();
  Scheduler& scheduler = make({.max_running = 4, .max_waiting = 1000});
  std::thread loop([&] {
    while (scheduler.wait()) scheduler.step();
  });
  constexpr unsigned kThreads = 4, kEach = 8;
  std::vector<Heard> heard(kThreads * kEach);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < kEach; ++i) {
        GenerationRequest one = request(10 + i, t * 100 + i, 8);
        Heard& to = heard[t * kEach + i];
        const auto id = scheduler.submit(one, [&to](GenerationEvent&& event) {
          to.text += event.text;
          to.finished = event.finished;
        });
        ASSERT_TRUE(id.ok());
        if (i % 4 == 3) scheduler.cancel(*id);
      }
    });
  for (std::thread& thread : threads) thread.join();
  scheduler.close();
  loop.join();
  EXPECT_FALSE(scheduler.submit(request(5, 1, 1), [](GenerationEvent&&) {}).ok());
  for (unsigned i = 0; i < heard.size(); ++i) {
    ASSERT_TRUE(heard[i].finished) << i;
    if (i % 4 != 3) {
      EXPECT_EQ(heard[i].finished, StopReason::length) << i;
    }
  }
  for (const unsigned i : {0u, 9u, 30u})
    EXPECT_EQ(heard[i].text, alone(request(10 + i % kEach, i / kEach * 100 + i % kEach, 8)).text);
}

}  // namespace
}  // namespace ingle::core
