// The description of a model that is not here, from its shape: what a file of it would say before its tensors' data,
// but for the vocabulary. So a model's memory and speed can be told before a byte of it is fetched, and without a
// network.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"
#include "core/engine/engine.h"
#include "core/synth/mixes.h"
#include "core/synth/shapes.h"

namespace ingle::core {

/// "qwen2.5-0.5b" and "Q4_K_M", as a catalogue has them. Error: not_found.
base::Result<std::pair<const Shape*, const Mix*>> shape_of(std::string_view shape, std::string_view quantisation);

/// Errors: as ModelFile::describe.
base::Result<ModelFile> describe_shape(const Shape& shape, const Mix& mix);

/// What a tokenizer of so many tokens takes: 1.8 to 6.6 MB were seen of four models, and a multiple of the tokens'
/// number is within 1.2 MB of each.
uint64_t usual_tokenizer_bytes(uint32_t vocabulary);

}  // namespace ingle::core
