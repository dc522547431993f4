// The queue of an encoder, pass by pass: who shares a pass, who comes first, and how requests end.
#include "core/scheduler/embedding_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;

class EmbeddingQueueTest : public testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::load(golden_folder() / "bert-mean.gguf", {.threads = 2, .cache_folder = testing::TempDir()});
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(engine).value();
    ASSERT_EQ(engine_->info().context_length, 160u);
    ASSERT_EQ(engine_->info().batch, 512u);
    make();
  }
  void make(const SchedulerOptions& options = {}) { queue_ = std::make_unique<EmbeddingQueue>(*engine_, options); }

  static EmbeddingText text(size_t tokens, TokenId first) {
    EmbeddingText text;
    for (size_t i = 0; i < tokens; ++i)
      text.tokens.push_back(static_cast<TokenId>((static_cast<size_t>(first) + i) % 59));
    return text;
  }
  static EmbeddingRequest request(std::vector<EmbeddingText> texts, std::string client,
                                  Priority priority = Priority::interactive) {
    return {std::move(texts), std::move(client), priority};
  }
  /// Its name is added to `ended_` when it ends.
  base::Result<RequestId> submit(const std::string& name, EmbeddingRequest request) {
    return queue_->submit(std::move(request), [this, name](EmbeddingResult&& result) {
      ended_.push_back(name);
      results_[name] = std::move(result);
    });
  }
  std::vector<float> alone(const EmbeddingText& of) {
    const EncoderText text{of.tokens, of.second};
    const auto found = engine_->embed({&text, 1});
    return {found->begin(), found->end()};
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EmbeddingQueue> queue_;
  std::vector<std::string> ended_;
  std::map<std::string, EmbeddingResult> results_;
};

TEST_F(EmbeddingQueueTest, RequestsOfManyShareAPass) {
  const EmbeddingText a = text(9, 1), b = text(30, 20), c = text(70, 3);
  ASSERT_TRUE(submit("first", request({a, b}, "one")).ok());
  ASSERT_TRUE(submit("second", request({c}, "other")).ok());
  EXPECT_EQ(queue_->stats().waiting, 2u);
  ASSERT_TRUE(queue_->wait());
  ASSERT_TRUE(queue_->step());
  EXPECT_FALSE(queue_->step());
  EXPECT_THAT(ended_, ElementsAre("first", "second"));
  std::vector<float> expected = alone(a);
  const std::vector<float> more = alone(b);
  expected.insert(expected.end(), more.begin(), more.end());
  EXPECT_EQ(results_["first"].embeddings, expected);
  EXPECT_EQ(results_["first"].stats.tokens, 39u);
  EXPECT_EQ(results_["second"].embeddings, alone(c));
  EXPECT_FALSE(results_["second"].error);
  const SchedulerStats stats = queue_->stats();
  EXPECT_EQ(stats.passes, 1u);
  EXPECT_EQ(stats.prompt_tokens, 109u);
  EXPECT_EQ(stats.submitted, 2u);
  EXPECT_EQ(stats.finished, 2u);
  EXPECT_EQ(stats.waiting, 0u);
}

// A pass holds three texts of 160 tokens: whoever has many does not hold up who has one.
TEST_F(EmbeddingQueueTest, ClientsTakeTurns) {
  ASSERT_TRUE(submit("many", request(std::vector<EmbeddingText>(30, text(160, 1)), "busy")).ok());
  ASSERT_TRUE(queue_->step());
  ASSERT_TRUE(submit("more", request({text(160, 2)}, "busy")).ok());
  ASSERT_TRUE(submit("one", request({text(160, 3)}, "idle")).ok());
  ASSERT_TRUE(queue_->step());
  EXPECT_TRUE(ended_.empty());  // the newcomer starts where the other is, and came later
  ASSERT_TRUE(queue_->step());
  EXPECT_THAT(ended_, ElementsAre("one"));
  while (queue_->step()) {
  }
  EXPECT_THAT(ended_, ElementsAre("one", "many", "more"));
  EXPECT_EQ(results_["many"].embeddings.size(), 30u * engine_->info().embedding_width);
}

TEST_F(EmbeddingQueueTest, BackgroundWorkComesAfter) {
  ASSERT_TRUE(submit("later", request(std::vector<EmbeddingText>(4, text(160, 1)), "one", Priority::background)).ok());
  ASSERT_TRUE(submit("now", request(std::vector<EmbeddingText>(3, text(160, 1)), "one")).ok());
  ASSERT_TRUE(queue_->step());
  EXPECT_THAT(ended_, ElementsAre("now"));
  while (queue_->step()) {
  }
  EXPECT_THAT(ended_, ElementsAre("now", "later"));
}

TEST_F(EmbeddingQueueTest, TooManyAreRefused) {
  make({.max_waiting = 1});
  ASSERT_TRUE(submit("a", request({text(5, 1)}, "one")).ok());
  ASSERT_TRUE(submit("b", request({text(5, 1)}, "one")).ok());
  const auto refused = submit("c", request({text(5, 1)}, "one"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  EXPECT_EQ(queue_->stats().refused, 1u);
  ASSERT_TRUE(queue_->step());
  EXPECT_TRUE(submit("c", request({text(5, 1)}, "one")).ok());
}

TEST_F(EmbeddingQueueTest, CancelledBeforeTheNextPass) {
  const auto gone = submit("gone", request(std::vector<EmbeddingText>(9, text(160, 1)), "one"));
  const auto stays = submit("stays", request({text(5, 1)}, "two"));
  ASSERT_TRUE(gone.ok() && stays.ok());
  ASSERT_TRUE(queue_->step());
  queue_->cancel(*gone);
  queue_->cancel(12345);
  while (queue_->step()) {
  }
  EXPECT_EQ(results_["gone"].error->code, ErrorCode::cancelled);
  EXPECT_TRUE(results_["gone"].embeddings.empty());
  EXPECT_FALSE(results_["stays"].error);
  EXPECT_EQ(queue_->stats().cancelled, 1u);
  EXPECT_LT(queue_->stats().passes, 4u);
}

TEST_F(EmbeddingQueueTest, WhatCannotBeEmbeddedIsRefusedAtOnce) {
  const auto error = [&](EmbeddingRequest of) { return submit("x", std::move(of)).error(); };
  EXPECT_EQ(error(request({}, "one")).code, ErrorCode::invalid_argument);
  EXPECT_EQ(error(request({text(3, 1), text(0, 1)}, "one")).code, ErrorCode::invalid_argument);
  EXPECT_EQ(error(request({{{1, 59}}}, "one")).code, ErrorCode::invalid_argument);
  const base::Error too_long = error(request({text(161, 1)}, "one"));
  EXPECT_EQ(too_long.code, ErrorCode::limit_exceeded);
  EXPECT_THAT(too_long.message, HasSubstr("161"));
  EXPECT_THAT(too_long.message, HasSubstr("160"));
  EXPECT_EQ(queue_->stats().submitted, 0u);
  auto decoder =
      Engine::load(golden_folder() / "llama.gguf", {.context_length = 64, .cache_folder = testing::TempDir()});
  ASSERT_TRUE(decoder.ok());
  EmbeddingQueue none(**decoder, {});
  const auto refused = none.submit(request({text(3, 1)}, "one"), [](EmbeddingResult&&) { FAIL(); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
}

TEST_F(EmbeddingQueueTest, ClosedItEndsWhatRunsAndWaitSaysSo) {
  std::thread runs([this] {
    while (queue_->wait()) queue_->step();
  });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(submit(std::to_string(i), request({text(40, 1), text(9, 2)}, "one")).ok());
  queue_->close();
  const auto late = submit("late", request({text(5, 1)}, "one"));
  runs.join();
  EXPECT_EQ(late.error().code, ErrorCode::busy);
  EXPECT_EQ(ended_.size(), 20u);
  EXPECT_EQ(queue_->stats().finished, 20u);
}

}  // namespace
}  // namespace ingle::core
