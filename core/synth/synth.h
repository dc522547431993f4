// A model without its weights: a GGUF file of a well-known shape, filled with random numbers in a chosen mix of number
// formats. It loads and runs as the real one does, at the same speed and in the same memory, and says nothing sensible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "core/synth/mixes.h"
#include "core/synth/shapes.h"

namespace ingle::core {

struct SyntheticModel {
  Shape shape;
  Mix mix;
  uint64_t seed = 0;
};

/// Told after every piece of at most a few MiB; false cancels.
using SynthProgress = std::function<bool(uint64_t written, uint64_t total)>;

/// The file's description: metadata with a vocabulary, tensors with their formats. Errors: invalid_argument where the
/// shape's sizes are impossible (layers 1..1024, vocabulary kMinVocabulary..kMaxVocabulary).
base::Result<GgufDescription> describe_synthetic(const SyntheticModel& model);

/// Writes the file; it is complete or absent. The same model gives the same bytes. Returns the file's size. Errors:
/// those of describe_synthetic and GgufWriter, and cancelled.
base::Result<uint64_t> write_synthetic(const std::filesystem::path& path, const SyntheticModel& model,
                                       const SynthProgress& progress);

}  // namespace ingle::core
