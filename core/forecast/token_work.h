// What a model has to do for a token, counted in its compiled program: bytes to read and products to compute. It is the
// same on every machine with the same kind of kernels.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "core/engine/engine.h"

namespace ingle::core {

struct TokenWork {
  double weight_bytes = 0;                ///< packed weights that a pass reads, whatever it computes
  double state_bytes_per_token = 0;       ///< keys and values that an answer's token reads for each token before it
  double decode_multiply_adds = 0;        ///< products of a token of an answer
  double prompt_multiply_adds = 0;        ///< products of a token of a prompt, but for those that follow
  double prompt_float_multiply_adds = 0;  ///< … and of 32-bit floats
  bool tiles = false;                     ///< prompts are multiplied on a tile unit
  uint32_t steps = 0;                     ///< kernels of a pass, each of which all threads wait for
  uint32_t batch = 0;                     ///< tokens of a prompt in a pass
};

/// A model's memory and work, as `options` would run it here. `tokenizer_bytes`: of a description without a vocabulary.
struct ModelNeeds {
  MemoryPlan memory;
  TokenWork work;
};
/// Of a description (FileContents) with a vocabulary. Errors: as plan_memory.
base::Result<ModelNeeds> needs_of(const ModelFile& file, const EngineOptions& options);
/// Of one without (describe_shape). Errors: as plan_memory.
base::Result<ModelNeeds> needs_of(const ModelFile& file, uint64_t tokenizer_bytes, const EngineOptions& options);

}  // namespace ingle::core
