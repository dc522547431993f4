// Scoring logits in double precision.
#include "cli/scoring.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

namespace ingle::cli {
namespace {

/// Calls `work(row)` for each row, on several threads.
void for_each_row(size_t rows, unsigned threads, const std::function<void(size_t)>& work) {
  const size_t workers = std::clamp<size_t>(threads, 1, std::max<size_t>(rows, 1));
  std::vector<std::jthread> pool;
  for (size_t w = 1; w < workers; ++w) {
    pool.emplace_back([&, w] {
      for (size_t row = w; row < rows; row += workers) work(row);
    });
  }
  for (size_t row = 0; row < rows; row += workers) work(row);
}

size_t top(std::span<const float> row) {
  return static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

/// KL(P || Q) of two rows of logits.
double divergence(std::span<const float> reference, std::span<const float> model) {
  const double reference_sum = log_sum_exp(reference), model_sum = log_sum_exp(model);
  double kl = 0;
  for (size_t v = 0; v < reference.size(); ++v) {
    const double log_p = static_cast<double>(reference[v]) - reference_sum;
    // exp(-60) is 1e-26: all of a vocabulary of such terms stays below what double precision adds up.
    if (log_p < -60) continue;
    kl += std::exp(log_p) * (log_p - (static_cast<double>(model[v]) - model_sum));
  }
  return std::max(kl, 0.0);
}

}  // namespace

void Score::add(const Score& other) {
  tokens += other.tokens;
  nll += other.nll;
}

void Divergence::add(const Divergence& other) {
  tokens += other.tokens;
  kl += other.kl;
  kl_largest = std::max(kl_largest, other.kl_largest);
  same_top += other.same_top;
}

double log_sum_exp(std::span<const float> row) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float x : row) largest = std::max(largest, x);
  if (!std::isfinite(largest)) return largest;
  double sum = 0;
  for (const float x : row) sum += std::exp(static_cast<double>(x) - static_cast<double>(largest));
  return static_cast<double>(largest) + std::log(sum);
}

Score score_rows(std::span<const float> logits, std::span<const core::TokenId> targets, size_t vocabulary,
                 unsigned threads) {
  std::vector<double> nll(targets.size());
  for_each_row(targets.size(), threads, [&](size_t i) {
    const auto row = logits.subspan(i * vocabulary, vocabulary);
    nll[i] = log_sum_exp(row) - static_cast<double>(row[static_cast<size_t>(targets[i])]);
  });
  Score score;
  score.tokens = targets.size();
  for (const double x : nll) score.nll += x;
  return score;
}

Divergence compare_rows(std::span<const float> reference, size_t reference_vocabulary, std::span<const float> model,
                        size_t model_vocabulary, size_t rows, unsigned threads) {
  const size_t vocabulary = std::min(reference_vocabulary, model_vocabulary);
  std::vector<double> kl(rows);
  std::vector<char> same(rows);
  for_each_row(rows, threads, [&](size_t i) {
    const auto p = reference.subspan(i * reference_vocabulary, vocabulary);
    const auto q = model.subspan(i * model_vocabulary, vocabulary);
    kl[i] = divergence(p, q);
    same[i] = top(p) == top(q);
  });
  Divergence sum;
  sum.tokens = rows;
  for (size_t i = 0; i < rows; ++i) {
    sum.kl += kl[i];
    sum.kl_largest = std::max(sum.kl_largest, kl[i]);
    sum.same_top += same[i] != 0 ? 1 : 0;
  }
  return sum;
}

}  // namespace ingle::cli
