// Rules that take unlikely (or too likely) tokens out of the draw. Each sees what the one before has left, with
// probabilities that sum to one again, and leaves at least one token. Top-k is Candidates::gather_best.
#pragma once

#include "core/sampling/candidates.h"

namespace ingle::core {

/// Nucleus sampling: the fewest most likely tokens whose probabilities sum to at least `mass`.
void keep_top_p(Candidates& candidates, double mass);

/// Tokens at least `share` times as likely as the likeliest.
void keep_min_p(Candidates& candidates, double share);

/// Locally typical sampling: the fewest tokens, nearest in surprise to the entropy, that sum to at least `mass`.
void keep_typical(Candidates& candidates, double mass);

/// Exclude top choices: of the tokens with a probability of at least `threshold`, only the least likely stays.
void exclude_top_choices(Candidates& candidates, double threshold);

}  // namespace ingle::core
