// Speculation: what is looked up, when it pays, and that on real engines the text and the sequence's state stay the
// same.
#include "core/engine/speculation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/generate.h"
#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<TokenId> looked_up(const std::vector<TokenId>& text, size_t most, size_t matched) {
  PromptLookup lookup(text.size());
  for (const TokenId token : text) lookup.accept(token);
  std::vector<TokenId> out;
  EXPECT_EQ(lookup.propose(most, out), matched);
  return out;
}

TEST(PromptLookup, ProposesWhatFollowedTheLongestMatch) {
  EXPECT_THAT(looked_up({}, 4, 0), IsEmpty());
  EXPECT_THAT(looked_up({1, 2}, 4, 0), IsEmpty());
  EXPECT_THAT(looked_up({1, 2, 3, 4, 2}, 4, 0), IsEmpty()) << "one token is not enough";
  EXPECT_THAT(looked_up({1, 2, 3, 4, 5, 6, 7, 1, 2}, 3, 2), ElementsAre(3, 4, 5));
  EXPECT_THAT(looked_up({9, 1, 2, 3, 8, 1, 2, 4, 9, 1, 2}, 1, 3), ElementsAre(3)) << "not the latest of two tokens";
  EXPECT_THAT(looked_up({1, 2, 3, 8, 1, 2, 4, 9, 1, 2}, 1, 2), ElementsAre(4)) << "the latest of equals";
}

TEST(PromptLookup, GoesOnWithARepetition) {
  EXPECT_THAT(looked_up({5, 1, 2, 3, 1, 2, 3}, 5, 3), ElementsAre(1, 2, 3, 1, 2));
  EXPECT_THAT(looked_up({7, 7, 7}, 3, 2), ElementsAre(7, 7, 7));
}

TEST(PassTimes, GuessesWhatWasNotMeasuredLately) {
  PassTimes times;
  EXPECT_EQ(times.single(), 0);
  for (const double seconds : {9.0, 4.0, 8.0, 5.0}) times.add(1, seconds);
  EXPECT_EQ(times.single(), 4) << "the shortest of the last three";
  times.add(1, 6);
  EXPECT_EQ(times.single(), 5);
  EXPECT_DOUBLE_EQ(times.of(3), 5.5);
  times.add(3, 10);
  EXPECT_DOUBLE_EQ(times.of(3), 10);
  EXPECT_DOUBLE_EQ(times.of(2), 5.25);
  EXPECT_DOUBLE_EQ(times.of(4), 10.25);
  for (int i = 0; i < 300; ++i) times.add(1, 5);
  EXPECT_DOUBLE_EQ(times.of(3), 5.5) << "forgotten";
}

/// A speculation that has seen what passes take: 1 + each * (rows - 1).
Speculation measured(double each) {
  Speculation speculation({.lookup = true}, 1000);
  for (size_t rows = 1; rows <= kSpeculationRows; ++rows)
    speculation.measured(rows, 1 + each * static_cast<double>(rows - 1));
  return speculation;
}

std::vector<TokenId> proposed(Speculation& speculation) {
  std::vector<TokenId> out;
  speculation.propose(kSpeculationRows - 1, out);
  return out;
}

TEST(Speculation, ProposesMoreWhereItIsRightAndNothingWhereItIsNot) {
  Speculation speculation = measured(0.1);
  const std::vector<TokenId> prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  ASSERT_TRUE(speculation.start(prompt, {}).ok());
  // The text repeats.
  size_t most = 0;
  for (int i = 0; i < 40; ++i) {
    const size_t count = proposed(speculation).size();
    if (i > 20) {
      EXPECT_GE(count, most);
    }
    most = std::max(most, count);
    speculation.accept(prompt[static_cast<size_t>(i) % prompt.size()]);
  }
  EXPECT_EQ(most, kSpeculationRows - 1);
  // Pairs come again, but what follows them does not.
  size_t last = 0;
  for (TokenId i = 0; i < 60; ++i) {
    for (const TokenId token : {100, 101}) speculation.accept(token);
    last = proposed(speculation).size();
    speculation.accept(200 + i);
  }
  EXPECT_EQ(last, 0u);
  // Then it does: nothing was proposed, but that it would have been right was noticed.
  for (int i = 0; i < 40; ++i)
    for (const TokenId token : {100, 101, 102}) {
      last = proposed(speculation).size();
      speculation.accept(token);
    }
  EXPECT_GT(last, 0u);
}

TEST(Speculation, ProposesNothingWhereRowsCostAsMuchAsPasses) {
  Speculation speculation = measured(1);
  ASSERT_TRUE(speculation.start(std::vector<TokenId>(50, 7), {}).ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(proposed(speculation), IsEmpty());
    speculation.accept(7);
  }
}

class SpeculationTest : public testing::TestWithParam<Golden> {
 protected:
  static std::unique_ptr<Engine> load(uint32_t context = 512) {
    EngineOptions options;
    options.threads = 2;
    options.context_length = context;
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(GetParam().file, options);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    return std::move(engine).value();
  }
  /// The golden's tokens twice, so that there is something to look up.
  static std::vector<TokenId> prompt() {
    std::vector<TokenId> twice = GetParam().tokens;
    twice.insert(twice.end(), GetParam().tokens.begin(), GetParam().tokens.end());
    return twice;
  }
  struct Outcome {
    GenerateResult result;
    std::vector<float> logits;  ///< of one more token
  };
  static Outcome run(Engine& engine, const SpeculationOptions& speculation, float temperature) {
    GenerateOptions options;
    options.sampling.temperature = temperature;
    options.sampling.top_k = 4;
    options.sampling.seed = 5;
    options.max_tokens = 150;
    options.ignore_stop_tokens = true;
    options.speculation = speculation;
    const auto sequence = engine.new_sequence().value();
    auto result = generate(engine, *sequence, prompt(), options, {});
    EXPECT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(sequence->length(), prompt().size() + 149);
    const auto logits = engine.forward(*sequence, std::span(result->tokens).last(1), LogitRows::last).value();
    return {std::move(result).value(), {logits.begin(), logits.end()}};
  }
};

// Also across the edges of pages and windows, where what was proposed wrongly is taken back.
TEST_P(SpeculationTest, GivesTheSameTextAndState) {
  const auto engine = load(), small = load();
  const auto draft = DraftModel::create(*engine, *small).value();
  for (const float temperature : {0.0f, 1.0f}) {
    const Outcome plain = run(*engine, {}, temperature);
    EXPECT_EQ(plain.result.proposed_tokens, 0u);
    for (const SpeculationOptions& speculation :
         {SpeculationOptions{.lookup = true, .always = true}, SpeculationOptions{.draft = draft.get(), .always = true},
          SpeculationOptions{.lookup = true, .draft = draft.get()}}) {
      const Outcome fast = run(*engine, speculation, temperature);
      EXPECT_EQ(fast.result.tokens, plain.result.tokens);
      EXPECT_EQ(fast.logits, plain.logits);
      if (speculation.always) {
        EXPECT_GT(fast.result.proposed_tokens, 0u);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SpeculationTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

std::unique_ptr<Engine> load_golden(const Golden& golden, uint32_t context) {
  EngineOptions options;
  options.threads = 1;
  options.context_length = context;
  options.cache_folder = testing::TempDir();
  return Engine::load(golden.file, options).value();
}

/// 64 tokens, greedily, with all that `draft` proposes.
GenerateResult with_draft(Engine& engine, DraftModel& draft, const Golden& golden) {
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = 64;
  options.ignore_stop_tokens = true;
  options.speculation = {.draft = &draft, .always = true};
  const auto sequence = engine.new_sequence().value();
  return generate(engine, *sequence, golden.tokens, options, {}).value();
}

TEST(DraftModel, IsRightWhereItIsTheSameModel) {
  const Golden golden = tiny_goldens().front();
  const auto engine = load_golden(golden, 256), same = load_golden(golden, 256);
  const auto draft = DraftModel::create(*engine, *same).value();
  const GenerateResult result = with_draft(*engine, *draft, golden);
  EXPECT_GT(result.taken_tokens, 20u);
  EXPECT_EQ(result.taken_tokens, result.proposed_tokens);
  EXPECT_EQ(draft->behind(golden.tokens), 0u) << "kept for the next call";
}

TEST(DraftModel, ProposesNothingBeyondItsContext) {
  const Golden golden = tiny_goldens().front();
  const auto engine = load_golden(golden, 256), same = load_golden(golden, 32);
  const auto draft = DraftModel::create(*engine, *same).value();
  EXPECT_EQ(with_draft(*engine, *draft, golden).tokens.size(), 64u);
}

}  // namespace
}  // namespace ingle::core
