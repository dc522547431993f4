#include "cli/scoring.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ingle::cli {
namespace {

TEST(Scoring, LogSumExpOfKnownRows) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{0, 0, 0, 0}), std::log(4.0), 1e-12);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000, 1000}), 1000 + std::log(2.0), 1e-9);  // no overflow
  EXPECT_NEAR(log_sum_exp(std::vector<float>{-2000, -2001}), -2000 + std::log1p(std::exp(-1.0)), 1e-9);
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_NEAR(log_sum_exp(std::vector<float>{3, -inf}), 3, 1e-12);
}

TEST(Scoring, NllOfProbabilities) {
  // Logits log(p) of p = (1/2, 1/4, 1/4) and (1/8, 3/8, 1/2), shifted, which changes nothing.
  const std::vector<float> logits = {std::log(0.5f) + 5,    std::log(0.25f) + 5,   std::log(0.25f) + 5,
                                     std::log(0.125f) - 90, std::log(0.375f) - 90, std::log(0.5f) - 90};
  const std::vector<core::TokenId> targets = {1, 2};
  const Score score = score_rows(logits, targets, 3, 1);
  EXPECT_EQ(score.tokens, 2u);
  EXPECT_NEAR(score.nll, std::log(4.0) + std::log(2.0), 1e-5);
  EXPECT_EQ(score_rows(logits, targets, 3, 8).nll, score.nll);
}

TEST(Scoring, DivergenceOfProbabilities) {
  const std::vector<float> p = {std::log(0.5f), std::log(0.5f)};
  const std::vector<float> q = {std::log(0.25f), std::log(0.75f)};
  const double expected = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  const Divergence there = compare_rows(p, 2, q, 2, 1, 1);
  EXPECT_NEAR(there.kl, expected, 1e-6);
  EXPECT_NEAR(there.kl_largest, expected, 1e-6);
  EXPECT_EQ(there.same_top, 0u);
  // It is not symmetric: the first argument is the reference.
  EXPECT_NEAR(compare_rows(q, 2, p, 2, 1, 1).kl, 0.25 * std::log(0.25 / 0.5) + 0.75 * std::log(0.75 / 0.5), 1e-6);
  const Divergence none = compare_rows(p, 2, p, 2, 1, 1);
  EXPECT_EQ(none.kl, 0);
  EXPECT_EQ(none.same_top, 1u);
}

TEST(Scoring, DivergenceSumsRowsAndIgnoresPadding) {
  const float never = -1e30f;
  // Two rows; the second vocabulary has one padded entry more.
  const std::vector<float> p = {0, 1, 2, 0, 0, 0};
  const std::vector<float> q = {0, 1, 2, never, 0, 0, 3, never};
  const Divergence sum = compare_rows(p, 3, q, 4, 2, 2);
  EXPECT_EQ(sum.tokens, 2u);
  EXPECT_EQ(sum.same_top, 1u);
  const double lse = std::log(2 + std::exp(3.0));
  const double expected = (2 * (-std::log(3.0) + lse) + (-std::log(3.0) - 3 + lse)) / 3;
  EXPECT_NEAR(sum.kl, expected, 1e-9);
  EXPECT_EQ(sum.kl, sum.kl_largest);
}

TEST(Scoring, SumsAdd) {
  Score a{2, 1.5};
  a.add({3, 2});
  EXPECT_EQ(a.tokens, 5u);
  EXPECT_EQ(a.nll, 3.5);
  Divergence d{1, 0.5, 0.5, 1};
  d.add({2, 0.25, 0.125, 0});
  EXPECT_EQ(d.tokens, 3u);
  EXPECT_EQ(d.kl, 0.75);
  EXPECT_EQ(d.kl_largest, 0.5);
  EXPECT_EQ(d.same_top, 1u);
}

}  // namespace
}  // namespace ingle::cli
