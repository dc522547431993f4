// How a model wants to be sampled, as its file says.
#pragma once

#include "core/files/model_file.h"
#include "core/sampling/sampler.h"

namespace ingle::core {

/// From GGUF's general.sampling.* and, in a safetensors folder, from generation_config.json ("generation.*").
/// What the file does not say stays as SamplingParams has it; a value out of its range is ignored.
SamplingParams default_sampling(const Metadata& metadata);

}  // namespace ingle::core
