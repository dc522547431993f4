// The best of logits with ties, infinities and NaN, in any order and by any number of finders, against sorting all.
#include "core/hal/best_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace ingle::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// By the definition: what has a logit, sorted by logit and then id, cut or filled up to `count`.
std::vector<TokenLogit> sorted(const std::vector<float>& logits, size_t count) {
  std::vector<TokenLogit> all;
  for (size_t id = 0; id < logits.size(); ++id)
    if (!std::isnan(logits[id]) && logits[id] != -kInfinity) all.push_back({logits[id], static_cast<int32_t>(id)});
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
  all.resize(count);
  return all;
}

void expect_same(const std::vector<TokenLogit>& found, const std::vector<TokenLogit>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].id, expected[i].id) << i << " of " << found.size();
    ASSERT_EQ(found[i].logit, expected[i].logit) << i;
  }
}

std::vector<TokenLogit> best_of(const std::vector<float>& logits, size_t count) {
  std::vector<TokenLogit> kept(count, {99, 99});  // of an earlier search
  BestTokens best(kept);
  best.offer(logits, 0);
  best.sort();
  return kept;
}

/// Few different values, so that most are ties; `odd` of a hundred are no numbers.
std::vector<float> random_logits(size_t count, unsigned seed, unsigned values, unsigned odd) {
  std::mt19937 random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) {
    logit = static_cast<float>(random() % values) - 2.0f;
    if (random() % 100 < odd) logit = std::vector{kNan, -kInfinity, kInfinity, -kNan}[random() % 4];
  }
  return logits;
}

TEST(BestTokens, AreThoseOfSortingAll) {
  for (const size_t size : {0, 1, 63, 64, 65, 1000})
    for (const unsigned values : {1u, 5u, 100000u})
      for (const unsigned odd : {0u, 10u, 100u})
        for (const size_t count : {1, 2, 40, 256, 1001}) {
          const auto logits = random_logits(size, static_cast<unsigned>(size) + values + odd, values, odd);
          SCOPED_TRACE(testing::Message() << size << " logits, " << values << " values, " << odd << " % odd");
          expect_same(best_of(logits, count), sorted(logits, count));
        }
}

TEST(BestTokens, OfEqualsTheLowerIdIsBetter) {
  expect_same(best_of({1, 5, 3, 5, 5}, 2), {{5, 1}, {5, 3}});
  expect_same(best_of({0.0f, -0.0f}, 1), {{0, 0}});
  expect_same(best_of({2, kInfinity, kNan, kInfinity}, 2), {{kInfinity, 1}, {kInfinity, 3}});
}

TEST(BestTokens, NothingIsFoundWhereNothingHasALogit) {
  expect_same(best_of({kNan, -kInfinity, kNan}, 2), std::vector<TokenLogit>(2));
  expect_same(best_of({}, 1), std::vector<TokenLogit>(1));
  expect_same(best_of({1, 2}, 0), {});
}

// As workers find them: parts in any order, each finder's put together at the end.
TEST(BestTokens, WhoFindsThemAndWhenMakesNoDifference) {
  std::mt19937 random(3);
  for (const unsigned values : {2u, 20u, 100000u})
    for (const size_t count : {1, 3, 40, 256}) {
      const auto logits = random_logits(3000, values, values, 3);
      const auto expected = sorted(logits, count);
      for (int round = 0; round < 10; ++round) {
        std::vector<size_t> starts;
        for (size_t start = 0; start < logits.size(); start += 100) starts.push_back(start);
        std::shuffle(starts.begin(), starts.end(), random);
        std::vector<std::vector<TokenLogit>> kept(3, std::vector<TokenLogit>(count));
        std::vector<BestTokens> finders(kept.begin(), kept.end());
        for (const size_t start : starts) finders[random() % 3].offer(std::span(logits).subspan(start, 100), start);
        std::vector<TokenLogit> together(count);
        BestTokens all(together);
        for (const BestTokens& finder : finders)
          for (const TokenLogit& token : finder.found()) all.offer(token);
        all.sort();
        expect_same(together, expected);
      }
    }
}

}  // namespace
}  // namespace ingle::core
