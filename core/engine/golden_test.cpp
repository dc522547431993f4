// The engine against transformers: logits of tiny random models of every architecture (tests/models/make_tiny.py), in
// one prefill and token by token.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/engine/engine.h"
#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

std::vector<Golden> real_goldens() {
  const char* folder = std::getenv("INGLE_TEST_MODELS");
  return folder == nullptr ? std::vector<Golden>() : load_goldens(folder, golden_folder() / "real" / "index.json");
}

double mean_kl(std::span<const float> p_logits, std::span<const float> q_logits, size_t vocabulary) {
  double total = 0;
  const size_t rows = p_logits.size() / vocabulary;
  for (size_t r = 0; r < rows; ++r) {
    const float *p = p_logits.data() + r * vocabulary, *q = q_logits.data() + r * vocabulary;
    double p_sum = 0, q_sum = 0;
    for (size_t i = 0; i < vocabulary; ++i) {
      p_sum += std::exp(double{p[i]} - p[0]);
      q_sum += std::exp(double{q[i]} - q[0]);
    }
    for (size_t i = 0; i < vocabulary; ++i) {
      const double lp = double{p[i]} - p[0] - std::log(p_sum), lq = double{q[i]} - q[0] - std::log(q_sum);
      total += std::exp(lp) * (lp - lq);
    }
  }
  return total / static_cast<double>(rows);
}

class GoldenTest : public testing::TestWithParam<Golden> {
 protected:
  std::unique_ptr<Engine> load(EngineOptions options) {
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();  // the instruction sets are proven once, not per test
    auto engine = Engine::load(GetParam().file, options);
    if (!engine.ok()) {
      ADD_FAILURE() << engine.error().message;
      return nullptr;
    }
    return std::move(engine).value();
  }
};

TEST_P(GoldenTest, ReferencePrefillMatchesTransformers) {
  const Golden& golden = GetParam();
  const auto engine = load({.context_length = golden.context, .threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  const auto sequence = engine->new_sequence().value();
  const auto logits = engine->forward(*sequence, golden.tokens, LogitRows::all);
  ASSERT_TRUE(logits.ok()) << logits.error().message;
  ASSERT_EQ(logits->size(), golden.logits.size());
  EXPECT_LT(nmse(golden.logits, *logits), kGoldenBound);
}

TEST_P(GoldenTest, TokenByTokenMatchesTransformers) {
  const Golden& golden = GetParam();
  const auto engine = load({.context_length = golden.context, .threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  const auto sequence = engine->new_sequence().value();
  std::vector<float> all;
  for (const TokenId token : golden.tokens) {
    const auto logits = engine->forward(*sequence, {&token, 1}, LogitRows::last);
    ASSERT_TRUE(logits.ok()) << logits.error().message;
    all.insert(all.end(), logits->begin(), logits->end());
  }
  EXPECT_LT(nmse(golden.logits, all), kGoldenBound);
}

TEST_P(GoldenTest, NormalPrecisionStaysClose) {
  const Golden& golden = GetParam();
  const auto engine = load({.context_length = golden.context, .threads = 2});
  ASSERT_NE(engine, nullptr);
  const auto sequence = engine->new_sequence().value();
  const auto logits = engine->forward(*sequence, golden.tokens, LogitRows::all);
  ASSERT_TRUE(logits.ok());
  EXPECT_LT(mean_kl(golden.logits, *logits, golden.vocabulary), 2e-3);
}

// Rule 7 of the design: the order of additions depends neither on threads nor on the batch; with a tile unit, which
// many rows are given to, on the batch only if asked for.
TEST_P(GoldenTest, SameBitsOnAnyThreadsAndBatch) {
  const Golden& golden = GetParam();
  std::vector<float> first;
  for (const auto& [threads, batch] : {std::pair{1u, 512u}, {2u, 512u}, {3u, 7u}, {2u, 1u}}) {
    const auto engine =
        load({.context_length = golden.context, .threads = threads, .batch = batch, .deterministic = true});
    ASSERT_NE(engine, nullptr);
    const auto sequence = engine->new_sequence().value();
    const auto logits = engine->forward(*sequence, golden.tokens, LogitRows::all);
    ASSERT_TRUE(logits.ok());
    if (first.empty()) first.assign(logits->begin(), logits->end());
    EXPECT_EQ(std::memcmp(first.data(), logits->data(), first.size() * sizeof(float)), 0)
        << threads << " threads, batch " << batch;
  }
}

std::string test_name(const testing::TestParamInfo<Golden>& test) {
  return golden_test_name(test.param.name);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(tiny_goldens()), test_name);

// The real models, where they were fetched (INGLE_TEST_MODELS): the reference path on a text, every stride-th logit.
class RealModelTest : public GoldenTest {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RealModelTest);

TEST_P(RealModelTest, ReferenceMatchesTransformers) {
  const Golden& golden = GetParam();
  const auto engine = load({.context_length = 512, .threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  const auto sequence = engine->new_sequence().value();
  const auto logits = engine->forward(*sequence, golden.tokens, LogitRows::all);
  ASSERT_TRUE(logits.ok()) << logits.error().message;
  const size_t width = engine->info().vocabulary_size;
  std::vector<float> sampled;
  for (size_t row = 0; row < golden.rows; ++row)
    for (size_t i = 0; i < golden.vocabulary; ++i) sampled.push_back((*logits)[row * width + i * golden.stride]);
  EXPECT_LT(nmse(golden.logits, sampled), kGoldenBound);
}

INSTANTIATE_TEST_SUITE_P(Models, RealModelTest, testing::ValuesIn(real_goldens()), test_name);

}  // namespace
}  // namespace ingle::core
