// Samplers against distributions computed by transformers (tests/sampling/make_goldens.py), by chi-square; the chain's
// order, determinism, and what it does with logits that are not numbers.
#include "core/sampling/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"
#include "core/sampling/random.h"

namespace ingle::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kDraws = 12000;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const base::Json& goldens() {
  static const base::Json json =
      base::parse_json(base::read_file(source_folder() + "/tests/data/sampling/goldens.json", 1 << 20).value()).value();
  return json;
}

SamplingParams params_from(const base::Json& json) {
  SamplingParams params;
  params.temperature = json.value("temperature", 1.0f);
  params.top_k = json.value("top_k", 0);
  params.top_p = json.value("top_p", 1.0f);
  params.min_p = json.value("min_p", 0.0f);
  params.typical_p = json.value("typical_p", 1.0f);
  params.repeat_penalty = json.value("repeat_penalty", 1.0f);
  params.penalty_last_n = json.value("penalty_last_n", 64);
  return params;
}

std::map<int32_t, int> count_draws(const SamplingParams& params, const std::vector<float>& logits,
                                   const std::vector<int32_t>& history, int draws) {
  const auto sampler = make_sampler(params, static_cast<uint32_t>(logits.size()));
  for (const int32_t token : history) sampler->accept(token);
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i) {
    std::vector<float> scratch = logits;
    ++counts[sampler->sample(scratch)];
  }
  return counts;
}

/// Checks counts against probabilities: nothing outside their support, and chi-square below its 1 - 1e-5 quantile
/// (Wilson and Hilferty's approximation). Bins that expect fewer than five draws are pooled.
void expect_distribution(const std::map<int32_t, int>& counts, const std::map<int32_t, double>& probabilities,
                         int draws) {
  for (const auto& [token, count] : counts) EXPECT_TRUE(probabilities.count(token) != 0) << token << " x " << count;
  double statistic = 0, pooled_expected = 0, pooled_count = 0;
  int bins = 0;
  const auto add = [&](double expected, double count) {
    statistic += (count - expected) * (count - expected) / expected;
    ++bins;
  };
  for (const auto& [token, probability] : probabilities) {
    const auto found = counts.find(token);
    const double count = found == counts.end() ? 0 : found->second;
    if (probability * draws >= 5) {
      add(probability * draws, count);
    } else {
      pooled_expected += probability * draws;
      pooled_count += count;
    }
  }
  if (pooled_expected >= 5) add(pooled_expected, pooled_count);
  if (bins < 2) return;
  const double k = bins - 1;
  const double quantile = k * std::pow(1 - 2 / (9 * k) + 4.265 * std::sqrt(2 / (9 * k)), 3);
  EXPECT_LT(statistic, quantile) << bins << " bins";
}

TEST(Sampler, DrawsFromTheDistributionsOfTransformers) {
  const auto history = goldens()["history"].get<std::vector<int32_t>>();
  uint64_t seed = 1;
  for (const base::Json& test : goldens()["cases"]) {
    SCOPED_TRACE(test["row"].get<std::string>() + " " + test["params"].dump());
    const auto logits = goldens()["rows"][test["row"].get<std::string>()].get<std::vector<float>>();
    std::map<int32_t, double> probabilities;
    for (const auto& [id, probability] : test["probabilities"].items()) probabilities[std::stoi(id)] = probability;
    SamplingParams params = params_from(test["params"]);
    params.seed = seed++;
    ASSERT_TRUE(validate(params).ok());
    expect_distribution(count_draws(params, logits, history, kDraws), probabilities, kDraws);
  }
}

TEST(Sampler, ASeedDrawsTheSameTokensEverywhere) {
  const base::Json& golden = goldens()["draws"];
  const auto row = goldens()["rows"][golden["row"].get<std::string>()].get<std::vector<float>>();
  SamplingParams params;
  params.temperature = golden["temperature"].get<float>();
  params.seed = golden["seed"].get<uint64_t>();
  const auto sampler = make_sampler(params, static_cast<uint32_t>(row.size()));
  for (int round = 0; round < 2; ++round) {
    for (const base::Json& token : golden["tokens"]) {
      std::vector<float> scratch = row;
      ASSERT_EQ(sampler->sample(scratch), token.get<int32_t>());
    }
    sampler->reset();
  }
  params.seed = 43;
  const auto other = make_sampler(params, static_cast<uint32_t>(row.size()));
  int differing = 0;
  for (const base::Json& token : golden["tokens"]) {
    std::vector<float> scratch = row;
    differing += other->sample(scratch) != token.get<int32_t>() ? 1 : 0;
  }
  EXPECT_GT(differing, 50);
}

TEST(Random, IsSplitMix64) {
  Random random(1234567);  // the published test vector
  for (const uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                  4593380528125082431u, 16408922859458223821u}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, UniformStaysInRangeAndFillsIt) {
  Random random(7);
  std::vector<int> bins(64);
  for (int i = 0; i < 64000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    ++bins[static_cast<size_t>(u * 64)];
  }
  for (const int count : bins) EXPECT_NEAR(count, 1000, 150);
}

int32_t greedy(std::vector<float> logits, const SamplingParams& params = {.temperature = 0},
               const std::vector<int32_t>& history = {}) {
  const auto sampler = make_sampler(params, static_cast<uint32_t>(logits.size()));
  for (const int32_t token : history) sampler->accept(token);
  return sampler->sample(logits);
}

TEST(Sampler, GreedyTakesTheBestAndOfEqualsTheFirst) {
  EXPECT_EQ(greedy({1, 5, 3, 5}), 1);
  EXPECT_EQ(greedy({-1, -5, -0.5f}), 2);
  EXPECT_EQ(greedy({0.0f, -0.0f}), 0);
  EXPECT_EQ(greedy({1, 2, kInfinity, 3}), 2);
}

TEST(Sampler, NeverTakesATokenWithoutALogitWhileAnotherHasOne) {
  const std::vector<std::vector<float>> rows = {{kNan, 1, kNan},
                                                {-kInfinity, kNan, -1e30f},
                                                {kNan, kNan, -3.4e38f, 3.4e38f},
                                                {-kInfinity, -kInfinity, 7, -kInfinity},
                                                {kInfinity, kNan, 1, kInfinity}};
  std::vector<SamplingParams> all(9);
  all[0].temperature = 0;
  all[1].temperature = 1;
  all[2].top_k = 2;
  all[3].top_p = 0.5f;
  all[4].min_p = 0.1f;
  all[5].typical_p = 0.5f;
  all[6].mirostat = 2;
  all[7].xtc_probability = 1;
  all[8].temperature = 1e-6f;
  for (const auto& row : rows) {
    for (const SamplingParams& params : all) {
      const auto sampler = make_sampler(params, static_cast<uint32_t>(row.size()));
      for (int i = 0; i < 50; ++i) {
        std::vector<float> scratch = row;
        const int32_t token = sampler->sample(scratch);
        ASSERT_TRUE(token >= 0 && token < static_cast<int32_t>(row.size()));
        ASSERT_TRUE(row[static_cast<size_t>(token)] > -kInfinity) << token;
        if (row[0] == kInfinity) {
          ASSERT_TRUE(token == 0 || token == 3);
        }
      }
    }
  }
}

TEST(Sampler, DrawsTheSameFromTheBestAlone) {
  const std::vector<SamplingParams> all = {
      {.temperature = 0},
      {.temperature = 0, .top_k = 5, .mirostat = 2},
      {.temperature = 1, .top_k = 1},
      {.temperature = 0.7f, .top_k = 40, .seed = 3},
      {.temperature = 1, .top_k = 256, .top_p = 0.9f, .seed = 4},
      {.temperature = 2, .top_k = 20, .min_p = 0.1f, .typical_p = 0.8f, .seed = 5},
      {.temperature = 1, .top_k = 20, .xtc_probability = 0.5f, .xtc_threshold = 0.05f, .seed = 6}};
  for (size_t i = 0; i < all.size(); ++i) {
    const uint32_t count = best_needed(all[i], 300);
    ASSERT_GT(count, 0u);
    const auto from_all = make_sampler(all[i], 300), from_best = make_sampler(all[i], 300);
    Random random(i);
    for (int row = 0; row < 300; ++row) {
      std::vector<float> logits(300);
      const uint64_t values = row % 3 == 0 ? 5 : 1000;  // many ties
      for (float& logit : logits) logit = static_cast<float>(random.next() % values) * 8 / static_cast<float>(values);
      for (int odd = row % 5 * 70; odd > 0; --odd)  // up to all but a few
        logits[random.next() % 300] = row % 2 == 0 ? kNan : -kInfinity;
      if (row % 7 == 0) logits[random.next() % 300] = logits[random.next() % 300] = kInfinity;
      std::vector<TokenLogit> kept(count);
      BestTokens best(kept);
      best.offer(logits, 0);
      best.sort();
      const int32_t token = from_best->sample_best(kept);
      ASSERT_EQ(from_all->sample(logits), token) << "parameters " << i << ", row " << row;
    }
    const std::vector<TokenLogit> none(count);
    EXPECT_EQ(from_best->sample_best(none), 0);
  }
}

TEST(Sampler, AsksForWhatItLooksAt) {
  EXPECT_EQ(best_needed({.temperature = 0}, 1000), 1u);
  EXPECT_EQ(best_needed({.temperature = 0, .top_k = 40, .mirostat = 2}, 1000), 1u) << "the best token is all";
  EXPECT_EQ(best_needed({.temperature = 1, .top_k = 40, .top_p = 0.5f, .min_p = 0.1f}, 1000), 40u);
  EXPECT_EQ(best_needed({.temperature = 1, .top_k = kMostBest}, 1000), kMostBest);
  EXPECT_EQ(best_needed({.temperature = 1, .top_k = kMostBest + 1}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 1, .top_k = 40}, 40), 0u) << "top-k is off";
  EXPECT_EQ(best_needed({.temperature = 1}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 1, .top_k = 40, .mirostat = 2}, 1000), 0u);
  // What changes logits may make any token the best.
  EXPECT_EQ(best_needed({.temperature = 0, .repeat_penalty = 1.1f}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 0, .frequency_penalty = 0.1f}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 0, .presence_penalty = 0.1f}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 0, .presence_penalty = 0.1f, .penalty_last_n = 0}, 1000), 1u);
  EXPECT_EQ(best_needed({.temperature = 0, .dry_multiplier = 0.8f}, 1000), 0u);
  EXPECT_EQ(best_needed({.temperature = 0, .logit_bias = {{3, 1.0f}}}, 1000), 0u);
}

TEST(Sampler, WithoutAnyLogitTakesTheFirstToken) {
  for (const float temperature : {0.0f, 1.0f}) {
    for (const int32_t mirostat : {0, 2}) {
      const SamplingParams params{.temperature = temperature, .mirostat = mirostat};
      EXPECT_EQ(greedy({-kInfinity, -kInfinity}, params), 0);
      EXPECT_EQ(greedy({kNan, kNan, kNan}, params), 0);
      EXPECT_EQ(greedy({}, params), 0);
    }
  }
}

TEST(Sampler, BiasComesFirstAndCanForbid) {
  SamplingParams params{.temperature = 0};
  params.logit_bias = {{1, -kInfinity}, {0, 2.5f}, {99, 5.0f}};
  EXPECT_EQ(greedy({1, 9, 3}, params), 0);
  // The repetition penalty sees the biased logit: (1 + 2.5) / 2 < 3.
  params.repeat_penalty = 2;
  EXPECT_EQ(greedy({1, 9, 3}, params, {0}), 2);
}

TEST(Sampler, FrequencyAndPresencePenaltiesAreSubtracted) {
  SamplingParams params{.temperature = 0, .frequency_penalty = 0.5f, .presence_penalty = 1.0f};
  // Token 0 three times: 5 - 3 * 0.5 - 1 = 2.5; token 1 once: 4 - 0.5 - 1 = 2.5 + 0; token 2: never.
  EXPECT_EQ(greedy({5, 4.1f, 2.4f}, params, {0, 0, 0, 1}), 1);
  EXPECT_EQ(greedy({5, 3.9f, 2.4f}, params, {0, 0, 0, 1}), 0);
  EXPECT_EQ(greedy({5, 3.9f, 2.6f}, params, {0, 0, 0, 1}), 2);
}

TEST(Sampler, PenaltiesForgetWhatLeftTheWindow) {
  SamplingParams params{.temperature = 0, .repeat_penalty = 4, .penalty_last_n = 2};
  EXPECT_EQ(greedy({3, 2, 1}, params, {0, 2}), 1);
  EXPECT_EQ(greedy({3, 2, 1}, params, {0, 2, 2}), 0);
  EXPECT_EQ(greedy({3, 2, 1}, params, {0, 2, 0, 2}), 1) << "a second occurrence is still there";
  params.penalty_last_n = -1;
  EXPECT_EQ(greedy({3, 2, 1}, params, {0, 2, 2}), 1);
  params.penalty_last_n = 0;
  EXPECT_EQ(greedy({3, 2, 1}, params, {0, 0}), 0);
}

TEST(Sampler, NegativeLogitsArePenalisedDownwards) {
  EXPECT_EQ(greedy({-1, -1.5f}, {.temperature = 0, .repeat_penalty = 2}, {0}), 1);
}

TEST(Sampler, ResetForgetsTheHistory) {
  const auto sampler = make_sampler({.temperature = 0, .repeat_penalty = 4}, 2);
  sampler->accept(0);
  std::vector<float> logits = {2, 1};
  EXPECT_EQ(sampler->sample(logits), 1);
  sampler->reset();
  logits = {2, 1};
  EXPECT_EQ(sampler->sample(logits), 0);
}

TEST(Sampler, TokensOutsideTheVocabularyAreHarmless) {
  SamplingParams params{.temperature = 1, .repeat_penalty = 2, .dry_multiplier = 1};
  const auto sampler = make_sampler(params, 3);
  for (const int32_t token : {-1, 5, -1, 5, -1, 5, 1 << 30, -1}) sampler->accept(token);
  std::vector<float> logits = {1, 2, 3};
  EXPECT_LT(sampler->sample(logits), 3);
}

TEST(Sampler, XtcThrowsItsCoin) {
  // Probabilities 0.5, 0.3, 0.2; threshold 0.25 takes the first out, half of the time: 0.25 | 0.3 / 0.5, 0.2 / 0.5.
  SamplingParams params{.temperature = 1, .xtc_probability = 0.5f, .xtc_threshold = 0.25f, .seed = 5};
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  const std::map<int32_t, double> expected = {{0, 0.25}, {1, 0.5 * 0.3 + 0.5 * 0.6}, {2, 0.5 * 0.2 + 0.5 * 0.4}};
  expect_distribution(count_draws(params, logits, {}, kDraws), expected, kDraws);
}

TEST(Sampler, MirostatHoldsItsSurprise) {
  std::vector<float> logits(500);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = -1.1f * std::log(static_cast<float>(i + 1));  // Zipf
  for (const float tau : {2.0f, 3.5f}) {
    SamplingParams params{.temperature = 1, .mirostat = 2, .mirostat_tau = tau, .mirostat_eta = 0.1f, .seed = 11};
    const auto sampler = make_sampler(params, 500);
    double total = 0, surprise = 0;
    for (const float logit : logits) total += std::exp(logit);
    int32_t highest = 0;
    for (int i = 0; i < 4000; ++i) {
      std::vector<float> scratch = logits;
      const int32_t token = sampler->sample(scratch);
      highest = std::max(highest, token);
      surprise += std::log2(total / std::exp(logits[static_cast<size_t>(token)]));
    }
    // Measured within the truncated distribution, the surprise is tau; in the whole one it is a little more.
    EXPECT_GT(surprise / 4000, tau);
    EXPECT_LT(surprise / 4000, tau + 1.5);
    EXPECT_GT(highest, 4);
  }
}

TEST(Validate, NamesTheFieldAndItsRange) {
  EXPECT_TRUE(validate({}).ok());
  EXPECT_TRUE(validate({.temperature = 0}).ok());
  const auto message = [](auto change) {
    SamplingParams params;
    change(params);
    const base::Status status = validate(params);
    EXPECT_FALSE(status.ok());
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(message([](auto& p) { p.temperature = -0.5f; }), "temperature is -0.5; it must be at least 0 (0: greedy)");
  EXPECT_EQ(message([](auto& p) { p.top_p = 0; }), "top_p is 0; it must be above 0 and at most 1 (1: off)");
  EXPECT_EQ(message([](auto& p) { p.top_k = -2; }), "top_k is -2; it must be at least 0 (0: off)");
  const std::vector<std::pair<std::string, std::function<void(SamplingParams&)>>> cases = {
      {"temperature", [](auto& p) { p.temperature = kNan; }},
      {"top_p", [](auto& p) { p.top_p = 1.01f; }},
      {"top_p", [](auto& p) { p.top_p = kNan; }},
      {"min_p", [](auto& p) { p.min_p = -0.1f; }},
      {"min_p", [](auto& p) { p.min_p = 1.1f; }},
      {"typical_p", [](auto& p) { p.typical_p = 0; }},
      {"xtc_probability", [](auto& p) { p.xtc_probability = 2; }},
      {"xtc_threshold", [](auto& p) { p.xtc_threshold = 0; }},
      {"repeat_penalty", [](auto& p) { p.repeat_penalty = 0; }},
      {"frequency_penalty", [](auto& p) { p.frequency_penalty = kInfinity; }},
      {"presence_penalty", [](auto& p) { p.presence_penalty = kNan; }},
      {"penalty_last_n", [](auto& p) { p.penalty_last_n = -2; }},
      {"dry_multiplier", [](auto& p) { p.dry_multiplier = -1; }},
      {"dry_base", [](auto& p) { p.dry_base = 0.5f; }},
      {"dry_allowed_length", [](auto& p) { p.dry_allowed_length = 0; }},
      {"dry_last_n", [](auto& p) { p.dry_last_n = -2; }},
      {"mirostat", [](auto& p) { p.mirostat = 1; }},
      {"mirostat_tau", [](auto& p) { p.mirostat_tau = 0; }},
      {"mirostat_eta", [](auto& p) { p.mirostat_eta = -1; }},
      {"logit_bias", [](auto& p) { p.logit_bias = {{-1, 0.0f}}; }},
      {"logit_bias", [](auto& p) { p.logit_bias = {{1, kNan}}; }},
      {"logit_bias", [](auto& p) { p.logit_bias = {{1, kInfinity}}; }},
  };
  for (const auto& [field, change] : cases) EXPECT_THAT(message(change), testing::StartsWith(field + " "));
}

}  // namespace
}  // namespace ingle::core
