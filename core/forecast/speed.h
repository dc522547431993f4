// How fast a model will be on a machine whose limits are known: the roofline, with what this engine reaches of it.
//
//   a token of an answer    weight bytes and, of the tokens before it, state bytes / (reading of the machine * share)
//                           + kernels * what their threads need to meet
//   a token of a prompt     products / (products of the machine * share)
//                           + that of a pass, shared by the batch's tokens
// or, where that is longer, the other one's bound. (Williams, Waterman and Patterson: Roofline, CACM 52(4), 2009.)
//
// The shares, and how far what was measured lay from what they say, stand in speed.cpp with where they come from. The
// interval holds nine of ten of those measurements of answers and three of four of prompts; it is no promise about a
// machine that is unlike theirs, or that others use more.
#pragma once

#include <optional>

#include "core/forecast/token_work.h"
#include "core/hal/machine_limits.h"

namespace ingle::core {

struct SpeedRange {
  double least = 0, expected = 0, most = 0;  ///< tokens per second
};

struct SpeedForecast {
  SpeedRange decode;                    ///< of an answer
  SpeedRange prefill;                   ///< of a prompt of a whole batch
  double prompt_tokens = 0, depth = 0;  ///< what they are of: a prompt of so many, an answer behind so many
};

/// An answer behind `depth` tokens. Nothing where nothing is known of it: weights that are read from disk for each
/// token, or limits that were not measured.
std::optional<SpeedForecast> forecast_speed(const ModelNeeds& needs, const MachineLimits& limits, uint32_t depth = 256);

}  // namespace ingle::core
