// Several sequences of one engine: forks, batches, windows, and how their keys and values are kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/engine/engine.h"
#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

class SequencesTest : public testing::TestWithParam<Golden> {
 protected:
  static std::unique_ptr<Engine> load(EngineOptions options = {}) {
    options.threads = 2;
    options.context_length = 1024;
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(GetParam().file, options);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    return std::move(engine).value();
  }
  static std::vector<TokenId> tokens(const Engine& engine, size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<TokenId> tokens(count);
    for (TokenId& token : tokens) token = static_cast<TokenId>(random() % engine.info().vocabulary_size);
    return tokens;
  }
  static std::vector<float> forward(Engine& engine, Sequence& sequence, std::span<const TokenId> tokens) {
    auto logits = engine.forward(sequence, tokens, LogitRows::last);
    EXPECT_TRUE(logits.ok());
    return {logits->begin(), logits->end()};
  }
  /// The logits after `tokens`, of a new sequence.
  static std::vector<float> alone(Engine& engine, std::span<const TokenId> tokens) {
    const auto sequence = engine.new_sequence().value();
    return forward(engine, *sequence, tokens);
  }
};

std::vector<TokenId> joined(std::span<const TokenId> a, std::span<const TokenId> b) {
  std::vector<TokenId> both(a.begin(), a.end());
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

// With the same kernels for any number of rows, what is computed in whichever order has the same bits.
TEST_P(SequencesTest, AForkGoesItsOwnWay) {
  const auto engine = load({.deterministic = true});
  const auto start = tokens(*engine, 100, 1), left = tokens(*engine, 7, 2), right = tokens(*engine, 7, 3);
  const auto sequence = engine->new_sequence().value();
  forward(*engine, *sequence, start);
  const auto fork = sequence->fork().value();
  EXPECT_EQ(fork->length(), 100u);
  const auto of_left = forward(*engine, *sequence, left), of_right = forward(*engine, *fork, right);
  EXPECT_EQ(of_left, alone(*engine, joined(start, left)));
  EXPECT_EQ(of_right, alone(*engine, joined(start, right)));
  EXPECT_EQ(sequence->truncate(100), 100u);
  EXPECT_EQ(forward(*engine, *sequence, right), of_right);
}

TEST_P(SequencesTest, ABatchIsWhatEachWouldBeAlone) {
  const auto engine = load({.batch = 16});
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::vector<std::vector<TokenId>> starts, next;
  std::vector<SequenceTokens> batch;
  for (unsigned i = 0; i < 4; ++i) {
    starts.push_back(tokens(*engine, 3 + 60 * i, i));
    next.push_back(tokens(*engine, i == 2 ? 3 : 1, 10 + i));
    sequences.push_back(engine->new_sequence().value());
    forward(*engine, *sequences[i], starts[i]);
  }
  for (unsigned i = 0; i < 4; ++i) batch.push_back({sequences[i].get(), next[i]});
  const auto logits = engine->forward_batch(batch);
  ASSERT_TRUE(logits.ok()) << logits.error().message;
  const std::vector<float> all(logits->begin(), logits->end());
  const size_t vocabulary = engine->info().vocabulary_size;
  ASSERT_EQ(all.size(), 4 * vocabulary);
  for (unsigned i = 0; i < 4; ++i) {
    const auto sequence = engine->new_sequence().value();
    forward(*engine, *sequence, starts[i]);
    const auto expected = forward(*engine, *sequence, next[i]);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), all.begin() + static_cast<ptrdiff_t>(i * vocabulary)))
        << i;
    EXPECT_EQ(sequences[i]->length(), sequence->length());
  }
}

TEST_P(SequencesTest, ABatchThatCannotRunChangesNothing) {
  const auto engine = load({.batch = 4});
  const auto a = engine->new_sequence().value(), b = engine->new_sequence().value();
  const auto three = tokens(*engine, 3, 1);
  const std::vector<TokenId> wrong{static_cast<TokenId>(engine->info().vocabulary_size)};
  const auto code = [&](std::vector<SequenceTokens> batch) { return engine->forward_batch(batch).error().code; };
  EXPECT_EQ(code({{a.get(), three}, {b.get(), three}}), base::ErrorCode::limit_exceeded);
  EXPECT_EQ(code({{a.get(), three}, {b.get(), wrong}}), base::ErrorCode::invalid_argument);
  EXPECT_EQ(code({{a.get(), three}, {b.get(), {}}}), base::ErrorCode::invalid_argument);
  EXPECT_EQ(a->length() + b->length(), 0u);
}

// Far behind, layers with a window have no keys any more, and what they do have is enough.
TEST_P(SequencesTest, LongSequencesAndTheirCancellation) {
  const auto engine = load({.batch = 64, .deterministic = true});
  const auto text = tokens(*engine, 900, 5);
  const auto sequence = engine->new_sequence().value();
  const auto at_once = forward(*engine, *sequence, text);
  const auto step_by_step = engine->new_sequence().value();
  std::vector<float> last;
  for (size_t done = 0; done < text.size(); done += 30)
    last = forward(*engine, *step_by_step, std::span(text).subspan(done, 30));
  EXPECT_EQ(last, at_once);

  const auto cancelled = engine->new_sequence().value();
  forward(*engine, *cancelled, std::span(text).first(500));
  int calls = 0;
  const auto result =
      engine->forward(*cancelled, std::span(text).subspan(500), LogitRows::last, [&] { return ++calls == 6; });
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(cancelled->length(), 500u);
  EXPECT_EQ(forward(*engine, *cancelled, std::span(text).subspan(500)), at_once);

  EXPECT_EQ(sequence->truncate(880), 880u);
  EXPECT_EQ(forward(*engine, *sequence, std::span(text).subspan(880)), at_once);
  const uint32_t kept = sequence->truncate(300);
  EXPECT_TRUE(kept == 300 || kept == 0);
  EXPECT_EQ(forward(*engine, *sequence, std::span(text).subspan(kept)), at_once);
}

TEST_P(SequencesTest, ASavedSequenceGoesOnInAnotherProcess) {
  const std::filesystem::path path = testing::TempDir() + "/" + golden_test_name(GetParam().name) + ".state";
  const EngineOptions options{.batch = 64, .deterministic = true};
  std::vector<TokenId> text, next;
  std::vector<float> expected;
  {
    const auto engine = load(options);
    text = tokens(*engine, 400, 7);
    next = tokens(*engine, 9, 8);
    const auto sequence = engine->new_sequence().value();
    forward(*engine, *sequence, text);
    EXPECT_EQ(engine->save_sequence(*sequence, next, path).error().code, base::ErrorCode::invalid_argument);
    ASSERT_TRUE(engine->save_sequence(*sequence, text, path).ok());
    expected = forward(*engine, *sequence, next);
  }
  const auto engine = load(options);
  auto restored = engine->restore_sequence(path);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored->tokens, text);
  EXPECT_EQ(restored->sequence->length(), 400u);
  EXPECT_EQ(forward(*engine, *restored->sequence, next), expected);
  EngineOptions other = options;
  other.kv_cache = KvCache::f16;
  EXPECT_EQ(load(other)->restore_sequence(path).error().code, base::ErrorCode::invalid_argument);
  std::filesystem::remove(path);
}

TEST_P(SequencesTest, FewerBitsOfKeysAndValuesAreFurtherOff) {
  const auto text = tokens(*load(), 300, 6);
  const auto logits = [&](KvCache kv, Precision precision) {
    const auto engine = load({.precision = precision, .kv_cache = kv});
    return alone(*engine, text);
  };
  const auto exact = logits(KvCache::f16, Precision::reference);
  const auto error = [&](KvCache kv) { return nmse(exact, logits(kv, Precision::normal)); };
  const double f16 = error(KvCache::f16), q8_0 = error(KvCache::q8_0), q4_0 = error(KvCache::q4_0);
  EXPECT_LT(q8_0, 4 * f16 + 3e-4);  // products of bf16 leave f16 next to nothing
  EXPECT_GT(q4_0, q8_0);
  EXPECT_LT(q4_0, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Models, SequencesTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
