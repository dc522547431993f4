// Mirostat 2.0: Basu et al. 2021, "Mirostat: a neural text decoding algorithm that directly controls perplexity",
// algorithm 2, as llama.cpp applies it. A bound mu on the surprise (bits) of the tokens in the draw is steered so that
// the observed surprise of what is drawn approaches tau.
#pragma once

#include "core/sampling/candidates.h"

namespace ingle::core {

class Mirostat {
 public:
  Mirostat(double tau, double eta) : tau_(tau), eta_(eta), mu_(2 * tau) {}

  /// Draws from weighed candidates (not empty) by `fraction` in [0, 1); returns an index into items().
  size_t draw(Candidates& candidates, double fraction);
  double mu() const { return mu_; }
  void reset() { mu_ = 2 * tau_; }

 private:
  double tau_, eta_, mu_;
};

}  // namespace ingle::core
