// Each rule of the chain alone, on cases worked out by hand from its definition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/sampling/candidates.h"
#include "core/sampling/dry.h"
#include "core/sampling/mirostat.h"
#include "core/sampling/portable_math.h"
#include "core/sampling/random.h"
#include "core/sampling/truncations.h"

namespace ingle::core {
namespace {

using testing::ElementsAre;

Candidates from_probabilities(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  Candidates candidates;
  candidates.gather(logits);
  return candidates;
}

std::vector<int32_t> ids(Candidates& candidates) {
  std::vector<int32_t> result;
  for (const Candidate& item : candidates.items()) result.push_back(item.id);
  return result;
}

TEST(PortableMath, AgreesWithTheLibrary) {
  for (double x = -699.9; x <= 0; x += 0.0137) {
    EXPECT_NEAR(exp_nonpositive(x) / std::exp(x), 1, 1e-12) << x;
  }
  EXPECT_EQ(exp_nonpositive(0), 1);
  EXPECT_EQ(exp_nonpositive(-800), 0);
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(exp_nonpositive(std::numeric_limits<double>::quiet_NaN()), 0);
  for (double x = 1e-300; x < 1e300; x *= 1.37) {
    EXPECT_NEAR(log_positive(x), std::log(x), 1e-15 * std::max(1.0, std::fabs(std::log(x)))) << x;
  }
  for (double x = 0.5; x < 2; x += 0.001) EXPECT_NEAR(log_positive(x), std::log(x), 1e-15) << x;
}

TEST(Candidates, TheBestAreSortedWithTiesByIdWhateverTheCount) {
  Random random(3);
  std::vector<float> logits(1000);
  for (float& logit : logits) logit = static_cast<float>(random.next() % 50);  // many ties
  logits[17] = std::numeric_limits<float>::quiet_NaN();
  logits[18] = -std::numeric_limits<float>::infinity();
  Candidates all;
  all.gather(logits);
  EXPECT_EQ(all.items().size(), 998u);
  std::vector<Candidate> sorted = all.items();
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
  for (const size_t count : {1, 2, 40, 500, 997, 998, 999}) {
    Candidates best;
    best.gather_best(logits, count);
    ASSERT_EQ(best.items().size(), std::min<size_t>(count, 998));
    for (size_t i = 0; i < best.items().size(); ++i) ASSERT_EQ(best.items()[i].id, sorted[i].id) << count << " " << i;
  }
}

TEST(Candidates, AFractionFallsWhereTheRunningSumPassesIt) {
  Candidates candidates = from_probabilities({0.25, 0.5, 0.25});
  candidates.weigh();
  EXPECT_EQ(candidates.find_fraction(0), 0u);
  EXPECT_EQ(candidates.find_fraction(0.2499), 0u);
  EXPECT_EQ(candidates.find_fraction(0.2501), 1u);
  EXPECT_EQ(candidates.find_fraction(0.7499), 1u);
  EXPECT_EQ(candidates.find_fraction(0.7501), 2u);
  EXPECT_EQ(candidates.find_fraction(1 - 0x1p-53), 2u);
}

TEST(Candidates, ABoundaryBelongsToTheNext) {
  Candidates candidates;
  candidates.gather(std::vector<float>{2, 2});
  candidates.weigh();
  EXPECT_EQ(candidates.find_fraction(0.5), 1u);
}

TEST(Candidates, WeightsAreThoseOfTheLastTemperature) {
  Candidates candidates;
  candidates.gather(std::vector<float>{0, -1});
  for (const double temperature : {1.0, 0.5, 1.0, 2.0, 1.0}) {
    candidates.weigh(temperature);
    EXPECT_NEAR(candidates.total(), 1 + std::exp(-1 / temperature), 1e-12);
  }
}

TEST(Candidates, WeightsDoNotVanishWithTheBestTakenOut) {
  Candidates candidates;
  candidates.gather(std::vector<float>{5, 1, 3});
  candidates.items().erase(candidates.items().begin());
  candidates.weigh(1e-6);
  EXPECT_EQ(candidates.total(), 1);
  EXPECT_EQ(candidates.items()[candidates.find_fraction(0)].id, 2);
}

TEST(Candidates, AnImpossibleTokenIsNeverFound) {
  Candidates candidates;
  candidates.gather(std::vector<float>{-1e4f, 0, -1e4f});
  candidates.weigh();
  for (const double fraction : {0.0, 0.5, 1 - 0x1p-53}) EXPECT_EQ(candidates.find_fraction(fraction), 1u);
}

TEST(TopP, KeepsTheFewestThatReachTheMass) {
  for (const auto& [mass, expected] : std::map<double, std::vector<int32_t>>{
           {0.05, {3}}, {0.39, {3}}, {0.41, {3, 1}}, {0.69, {3, 1}}, {0.71, {3, 1, 0}}, {0.95, {3, 1, 0, 2}}}) {
    Candidates candidates = from_probabilities({0.2, 0.3, 0.1, 0.4});
    keep_top_p(candidates, mass);
    EXPECT_EQ(ids(candidates), expected) << mass;
  }
}

TEST(TopP, OfEqualsTheFirstStay) {
  Candidates candidates = from_probabilities({0.25, 0.25, 0.25, 0.25});
  keep_top_p(candidates, 0.5);
  EXPECT_THAT(ids(candidates), ElementsAre(0, 1));
}

TEST(TopP, SortsNoFurtherThanItMustAndKeepsTheOrderOverManyTokens) {
  std::vector<double> probabilities(5000);
  for (size_t i = 0; i < probabilities.size(); ++i) probabilities[(i * 1237) % 5000] = std::pow(0.999, i);
  Candidates candidates = from_probabilities(probabilities);
  keep_top_p(candidates, 0.9);
  const double kept = std::ceil(std::log(1 - 0.9 * (1 - std::pow(0.999, 5000))) / std::log(0.999));
  EXPECT_NEAR(static_cast<double>(candidates.items().size()), kept, 1);
  for (size_t i = 0; i < candidates.items().size(); ++i) ASSERT_EQ(candidates.items()[i].id, (i * 1237) % 5000);
}

TEST(MinP, IsRelativeToTheLikeliest) {
  Candidates candidates = from_probabilities({0.05, 0.5, 0.2, 0.25});
  keep_min_p(candidates, 0.41);
  EXPECT_THAT(ids(candidates), ElementsAre(1, 3));
  keep_min_p(candidates, 1);
  EXPECT_THAT(ids(candidates), ElementsAre(1));
}

TEST(Typical, TakesTheSurpriseNearestToTheEntropyFirst) {
  // p = 0.7, 0.2, 0.1: surprise 0.357, 1.609, 2.303; entropy 0.802; distances 0.445, 0.808, 1.501.
  Candidates candidates = from_probabilities({0.1, 0.7, 0.2});
  keep_typical(candidates, 0.6);
  EXPECT_THAT(ids(candidates), ElementsAre(1));
  candidates = from_probabilities({0.1, 0.7, 0.2});
  keep_typical(candidates, 0.8);
  EXPECT_THAT(ids(candidates), ElementsAre(1, 2));
  // One token of 0.4, thirty of 0.02: entropy 2.714; surprise 0.916 (distance 1.80) and 3.912 (1.20): the likeliest
  // goes.
  std::vector<double> probabilities(31, 0.02);
  probabilities[9] = 0.4;
  candidates = from_probabilities(probabilities);
  keep_typical(candidates, 0.49);
  EXPECT_EQ(candidates.items().size(), 25u);
  for (const Candidate& item : candidates.items()) EXPECT_NE(item.id, 9);
}

TEST(Xtc, KeepsOnlyTheLeastLikelyOfTheTopChoices) {
  Candidates candidates = from_probabilities({0.1, 0.4, 0.3, 0.2});
  exclude_top_choices(candidates, 0.15);
  EXPECT_THAT(ids(candidates), ElementsAre(0, 3));
  candidates = from_probabilities({0.1, 0.4, 0.3, 0.2});
  exclude_top_choices(candidates, 0.35);
  EXPECT_THAT(ids(candidates), ElementsAre(0, 1, 2, 3)) << "a single top choice stays";
  candidates = from_probabilities({0.1, 0.4, 0.3, 0.2});
  exclude_top_choices(candidates, 0.9);
  EXPECT_THAT(ids(candidates), ElementsAre(0, 1, 2, 3));
  candidates = from_probabilities({0.25, 0.25, 0.25, 0.25});
  exclude_top_choices(candidates, 0.2);
  EXPECT_THAT(ids(candidates), ElementsAre(3)) << "of equals the last in the order";
}

/// What DRY subtracts from each of `vocabulary` tokens.
std::vector<float> dry_penalties(Dry dry, const std::vector<int32_t>& history, size_t vocabulary = 10) {
  std::vector<float> logits(vocabulary, 0.0f);
  dry.apply(history, logits);
  for (float& logit : logits) logit = logit == 0 ? 0 : -logit;
  return logits;
}

TEST(Dry, PenaltyGrowsWithTheRepetition) {
  // History ends in "1 2 3", which was followed by 4 before: 3 tokens repeat, 2 * 1.5^(3 - 2) = 3.
  EXPECT_THAT(dry_penalties(Dry(2, 1.5f, 2, -1, {}), {1, 2, 3, 4, 0, 1, 2, 3}),
              ElementsAre(0, 0, 0, 0, 3, 0, 0, 0, 0, 0));
  EXPECT_THAT(dry_penalties(Dry(2, 1.5f, 3, -1, {}), {1, 2, 3, 4, 0, 1, 2, 3}),
              ElementsAre(0, 0, 0, 0, 2, 0, 0, 0, 0, 0));
  EXPECT_THAT(dry_penalties(Dry(2, 1.5f, 4, -1, {}), {1, 2, 3, 4, 0, 1, 2, 3}), testing::Each(0.0f));
}

TEST(Dry, EachContinuationHasItsOwnLongestRepetition) {
  // "7 1 2" was followed by 5 (three tokens repeat), "9 1 2" by 6 and "1 2" by 5 again (two repeat).
  EXPECT_THAT(dry_penalties(Dry(1, 2, 2, -1, {}), {7, 1, 2, 5, 9, 1, 2, 6, 0, 1, 2, 5, 7, 1, 2}),
              ElementsAre(0, 0, 0, 0, 0, 2, 1, 0, 0, 0));
}

TEST(Dry, OverlappingRepetitionsCount) {
  // "3 3 3 3": three tokens before the last place equal the last three, and the next was 3.
  EXPECT_THAT(dry_penalties(Dry(1, 2, 1, -1, {}), {3, 3, 3, 3}), ElementsAre(0, 0, 0, 4, 0, 0, 0, 0, 0, 0));
}

TEST(Dry, LooksBackNoFurtherThanTheWindow) {
  const std::vector<int32_t> history = {1, 2, 3, 4, 0, 1, 2, 3};
  EXPECT_EQ(dry_penalties(Dry(2, 1.5f, 2, 8, {}), history)[4], 3);
  EXPECT_EQ(dry_penalties(Dry(2, 1.5f, 2, 7, {}), history)[4], 2) << "the first token is out of sight";
  EXPECT_THAT(dry_penalties(Dry(2, 1.5f, 2, 5, {}), history), testing::Each(0.0f));
}

TEST(Dry, RepetitionsEndAtBreakers) {
  const std::vector<int32_t> history = {1, 9, 2, 3, 4, 0, 1, 9, 2, 3};
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {}), history)[4], 8);
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{9}}), history)[4], 2) << "two tokens since the breaker";
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{8}, {1, 9}}), history)[4], 2);
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{9, 1}}), history)[4], 8);
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{3}}), history)[4], 0) << "nothing since the breaker";
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{4}}), history)[4], 0) << "a breaker itself is not penalised";
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{4, 5}}), history)[4], 8) << "only where it is one token";
  EXPECT_EQ(dry_penalties(Dry(1, 2, 1, -1, {{}}), history)[4], 8);
}

TEST(Dry, AgreesWithTheDefinitionOnRandomTexts) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<int32_t> history(random.next() % 60);
    for (int32_t& token : history) token = static_cast<int32_t>(random.next() % 3);
    const bool breaks = round % 2 == 0;
    std::vector<float> expected(3, 0.0f);
    std::vector<int> longest(3, 0);
    const int n = static_cast<int>(history.size());
    for (int next = 1; next < n; ++next) {  // literally: how many tokens before `next` equal the last ones
      int match = 0;
      while (next - 1 - match >= 0 &&
             history[static_cast<size_t>(next - 1 - match)] == history[static_cast<size_t>(n - 1 - match)] &&
             !(breaks && history[static_cast<size_t>(n - 1 - match)] == 0)) {
        ++match;
      }
      int& most = longest[static_cast<size_t>(history[static_cast<size_t>(next)])];
      most = std::max(most, match);
    }
    for (size_t token = 0; token < 3; ++token) {
      if (longest[token] >= 2 && !(breaks && token == 0)) {
        expected[token] = 0.5f * static_cast<float>(std::pow(1.25, longest[token] - 2));
      }
    }
    const std::vector<float> penalties = dry_penalties(
        Dry(0.5f, 1.25f, 2, -1, breaks ? std::vector<std::vector<int32_t>>{{0}} : std::vector<std::vector<int32_t>>{}),
        history, 3);
    for (size_t token = 0; token < 3; ++token) {
      ASSERT_NEAR(penalties[token], expected[token], 1e-5 * (1 + expected[token])) << round;
    }
  }
}

TEST(Dry, AVeryLongRepetitionStaysFinite) {
  const std::vector<float> penalties = dry_penalties(Dry(1, 1.75f, 2, -1, {}), std::vector<int32_t>(5000, 1));
  EXPECT_TRUE(std::isfinite(penalties[1]));
  EXPECT_GT(penalties[1], 1e20f);
}

TEST(Mirostat, FollowsItsDefinition) {
  // Surprise in bits 1, 2, 3, 3. tau 1: mu starts at 2, so the last two are out; 2/3 and 1/3 remain.
  const std::vector<double> probabilities = {0.125, 0.5, 0.25, 0.125};
  Mirostat mirostat(1, 0.5);
  EXPECT_EQ(mirostat.mu(), 2);
  Candidates candidates = from_probabilities(probabilities);
  candidates.weigh();
  // Logits are rounded to float, so that a surprise of exactly mu may fall on either side: step off it.
  mirostat = Mirostat(1.01, 0.5);
  EXPECT_EQ(candidates.items()[mirostat.draw(candidates, 0.6)].id, 1);
  EXPECT_EQ(candidates.items().size(), 2u);
  // Observed: log2(3/2) = 0.585; mu = 2.02 - 0.5 * (0.585 - 1.01).
  EXPECT_NEAR(mirostat.mu(), 2.02 - 0.5 * (std::log2(1.5) - 1.01), 1e-6);

  candidates = from_probabilities(probabilities);
  candidates.weigh();
  EXPECT_EQ(candidates.items()[mirostat.draw(candidates, 0.7)].id, 2);
  EXPECT_NEAR(mirostat.mu(), 2.02 - 0.5 * (std::log2(1.5) - 1.01) - 0.5 * (std::log2(3) - 1.01), 1e-6);
  mirostat.reset();
  EXPECT_NEAR(mirostat.mu(), 2.02, 1e-12);
}

TEST(Mirostat, KeepsTheLikeliestUnderAnyBound) {
  Mirostat mirostat(0.001, 1);
  for (int i = 0; i < 3; ++i) {  // mu: 0.002, then 0.003, 0.004: one token alone has no surprise
    Candidates candidates = from_probabilities({0.2, 0.5, 0.3});
    candidates.weigh();
    EXPECT_EQ(candidates.items()[mirostat.draw(candidates, 0.99)].id, 1);
    EXPECT_EQ(candidates.items().size(), 1u);
  }
  EXPECT_NEAR(mirostat.mu(), 0.005, 1e-12);
}

}  // namespace
}  // namespace ingle::core
