// The chain from logits to a token. The order is that of llama.cpp's default chain (common/common.h, `samplers`; each
// rule sees what the one before has left):
//   logit bias, repetition/frequency/presence penalties, DRY, [temperature 0: the best token, and that is all]
//   top-k, typical, top-p, min-p, XTC, temperature, draw
// With mirostat 2 the last line is: temperature, mirostat's bound, draw.
// transformers applies temperature first; with the truncations off the two agree.
#include "core/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/candidates.h"
#include "core/sampling/distribution.h"
#include "core/sampling/dry.h"
#include "core/sampling/mirostat.h"
#include "core/sampling/penalties.h"
#include "core/sampling/random.h"
#include "core/sampling/truncations.h"

namespace ingle::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The token with the largest logit, of equals the lowest id; 0 where no logit is above -inf.
int32_t best_token(std::span<const float> logits) {
  float best = -kInfinity;
  size_t token = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > best) {
      best = logits[i];
      token = i;
    }
  }
  return static_cast<int32_t>(token);
}

class ChainSampler final : public Sampler {
 public:
  ChainSampler(const SamplingParams& params, uint32_t vocabulary_size, size_t history)
      : params_(params),
        vocabulary_size_(vocabulary_size),
        penalties_(params.repeat_penalty, params.frequency_penalty, params.presence_penalty, params.penalty_last_n),
        dry_(params.dry_multiplier, params.dry_base, params.dry_allowed_length, params.dry_last_n, params.dry_breakers),
        mirostat_(params.mirostat_tau, params.mirostat_eta),
        random_(params.seed) {
    history_.reserve(history);
    penalties_.reserve(history);
    dry_.reserve(history);
  }

  void accept(int32_t token) override {
    history_.push_back(token);
    penalties_.accept(history_);
  }

  int32_t sample(std::span<float> logits) override {
    logits = logits.first(std::min<size_t>(logits.size(), vocabulary_size_));
    change(logits);
    if (params_.temperature <= 0) return best_token(logits);

    const auto top_k = static_cast<size_t>(params_.top_k);
    if (params_.mirostat != 2 && top_k > 0 && top_k < logits.size()) {
      candidates_.gather_best(logits, top_k);
      note("top_k");
    } else {
      candidates_.gather(logits);
    }
    return draw();
  }

  int32_t explain(std::span<float> logits, std::vector<SamplingStep>& steps) override {
    steps.clear();
    notes_.clear();
    explaining_ = true;
    const int32_t token = sample(logits);
    explaining_ = false;
    if (changes()) {  // the logits are still as they were left by that
      const auto left = std::ranges::count_if(logits, [](float logit) { return logit > -kInfinity; });
      steps.push_back({"penalties", static_cast<uint32_t>(left), std::exp(Distribution(logits).logprob(token))});
    }
    for (const Note& note : notes_) {
      const double below = (double{logits[static_cast<size_t>(token)]} - note.best_logit) / note.temperature;
      steps.push_back({note.name, note.left, static_cast<float>(std::exp(below) / note.total)});
    }
    if (params_.temperature <= 0) steps.push_back({"greedy", 1, 1});
    return token;
  }

  int32_t sample_best(std::span<const TokenLogit> best) override {
    if (params_.temperature <= 0) return std::max(best.front().id, 0);
    candidates_.take_best(best);
    return draw();
  }

  void reset() override {
    history_.clear();
    penalties_.reset();
    mirostat_.reset();
    random_ = Random(params_.seed);
  }

 private:
  /// Rules for logits.
  void change(std::span<float> logits) {
    for (const auto& [token, bias] : params_.logit_bias)
      if (token >= 0 && static_cast<size_t>(token) < logits.size()) logits[static_cast<size_t>(token)] += bias;
    if (penalties_.active()) penalties_.apply(logits);
    if (dry_.active()) dry_.apply(history_, logits);
  }
  bool changes() const { return !params_.logit_bias.empty() || penalties_.active() || dry_.active(); }

  /// Weights of temperature 1 are what the next rule would compute anyway.
  void note(const char* name, double temperature = 1) {
    if (!explaining_ || candidates_.empty()) return;
    candidates_.weigh(temperature);
    notes_.push_back({name, static_cast<uint32_t>(candidates_.items().size()), candidates_.best_logit(), temperature,
                      candidates_.total()});
  }

  int32_t draw() {
    if (params_.mirostat != 2) truncate();
    if (candidates_.empty()) return 0;
    candidates_.weigh(params_.temperature);
    if (params_.temperature != 1) note("temperature", params_.temperature);
    const double fraction = random_.uniform();
    if (params_.mirostat != 2) return candidates_.items()[candidates_.find_fraction(fraction)].id;
    const int32_t token = candidates_.items()[mirostat_.draw(candidates_, fraction)].id;
    note("mirostat", params_.temperature);
    return token;
  }

  void truncate() {
    if (params_.typical_p < 1) {
      keep_typical(candidates_, params_.typical_p);
      note("typical_p");
    }
    if (params_.top_p < 1) {
      keep_top_p(candidates_, params_.top_p);
      note("top_p");
    }
    if (params_.min_p > 0) {
      keep_min_p(candidates_, params_.min_p);
      note("min_p");
    }
    if (params_.xtc_probability > 0 && random_.uniform() < params_.xtc_probability) {
      exclude_top_choices(candidates_, params_.xtc_threshold);
      note("xtc");
    }
  }

  SamplingParams params_;
  uint32_t vocabulary_size_;
  std::vector<int32_t> history_;
  Penalties penalties_;
  Dry dry_;
  Mirostat mirostat_;
  Random random_;
  Candidates candidates_;
  bool explaining_ = false;
  /// What a rule left, as weights are: e^((logit - best) / temperature).
  struct Note {
    const char* name;
    uint32_t left;
    double best_logit, temperature, total;
  };
  std::vector<Note> notes_;  ///< of the token that is explained
};

/// One rule for a field of SamplingParams.
struct Rule {
  const char* field;
  double value;
  bool holds;
  const char* range;
};

}  // namespace

base::Status validate(const SamplingParams& p) {
  const auto between = [](double value, double low, double high) { return value >= low && value <= high; };
  const auto positive_share = [](double value) { return value > 0 && value <= 1; };
  const Rule rules[] = {
      {"temperature", p.temperature, between(p.temperature, 0, 1e6), "at least 0 (0: greedy)"},
      {"top_k", static_cast<double>(p.top_k), p.top_k >= 0, "at least 0 (0: off)"},
      {"top_p", p.top_p, positive_share(p.top_p), "above 0 and at most 1 (1: off)"},
      {"min_p", p.min_p, between(p.min_p, 0, 1), "from 0 (off) to 1"},
      {"typical_p", p.typical_p, positive_share(p.typical_p), "above 0 and at most 1 (1: off)"},
      {"xtc_probability", p.xtc_probability, between(p.xtc_probability, 0, 1), "from 0 (off) to 1"},
      {"xtc_threshold", p.xtc_threshold, positive_share(p.xtc_threshold), "above 0 and at most 1"},
      {"repeat_penalty", p.repeat_penalty, p.repeat_penalty > 0 && p.repeat_penalty <= 1e6f, "above 0 (1: off)"},
      {"frequency_penalty", p.frequency_penalty, between(p.frequency_penalty, -1e6, 1e6), "finite (0: off)"},
      {"presence_penalty", p.presence_penalty, between(p.presence_penalty, -1e6, 1e6), "finite (0: off)"},
      {"penalty_last_n", static_cast<double>(p.penalty_last_n), p.penalty_last_n >= -1, "at least -1 (-1: all)"},
      {"dry_multiplier", p.dry_multiplier, between(p.dry_multiplier, 0, 1e6), "at least 0 (0: off)"},
      {"dry_base", p.dry_base, between(p.dry_base, 1, 1e6), "at least 1"},
      {"dry_allowed_length", static_cast<double>(p.dry_allowed_length), p.dry_allowed_length >= 1, "at least 1"},
      {"dry_last_n", static_cast<double>(p.dry_last_n), p.dry_last_n >= -1, "at least -1 (-1: all)"},
      {"mirostat", static_cast<double>(p.mirostat), p.mirostat == 0 || p.mirostat == 2, "0 (off) or 2"},
      {"mirostat_tau", p.mirostat_tau, p.mirostat_tau > 0 && p.mirostat_tau <= 100, "above 0 and at most 100"},
      {"mirostat_eta", p.mirostat_eta, between(p.mirostat_eta, 0, 1), "from 0 to 1"},
  };
  for (const Rule& rule : rules) {
    if (rule.holds) continue;
    std::string value = std::to_string(rule.value);
    if (value.find('.') != std::string::npos) value.erase(value.find_last_not_of('0') + 1);
    if (value.ends_with('.')) value.pop_back();
    return base::Error{base::ErrorCode::invalid_argument,
                       std::string(rule.field) + " is " + value + "; it must be " + rule.range};
  }
  for (const auto& [token, bias] : p.logit_bias) {
    if (token < 0) {
      return base::Error{base::ErrorCode::invalid_argument,
                         "logit_bias names token " + std::to_string(token) + "; ids start at 0"};
    }
    if (std::isnan(bias) || bias == std::numeric_limits<float>::infinity()) {
      return base::Error{base::ErrorCode::invalid_argument, "logit_bias for token " + std::to_string(token) +
                                                                " must be finite, or -inf to forbid the token"};
    }
  }
  return {};
}

uint32_t best_needed(const SamplingParams& p, uint32_t vocabulary_size) {
  const bool changes_logits =
      !p.logit_bias.empty() ||
      Penalties(p.repeat_penalty, p.frequency_penalty, p.presence_penalty, p.penalty_last_n).active() ||
      Dry(p.dry_multiplier, p.dry_base, p.dry_allowed_length, p.dry_last_n, {}).active();
  if (changes_logits) return 0;  // of any token
  if (p.temperature <= 0) return 1;
  const auto top_k = static_cast<uint32_t>(p.top_k);
  return p.mirostat != 2 && top_k < vocabulary_size && top_k <= kMostBest ? top_k : 0;
}

std::unique_ptr<Sampler> make_sampler(const SamplingParams& params, uint32_t vocabulary_size, size_t history) {
  return std::make_unique<ChainSampler>(params, vocabulary_size, history);
}

}  // namespace ingle::core
