// What a model file consists of, for who wants to see it: its tensors, and the operations that read them, in the order
// in which the engine is given them (core/graph). Reads descriptions, no weights but those of vectors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// What the file calls its architecture, supported or not; nullptr: it does not say.
const std::string* architecture_name(const ModelFile& file);

/// The tensors of one number format together.
struct FormatShare {
  std::string_view name;
  uint64_t tensors = 0, elements = 0, bytes = 0;
};
/// Most bytes first.
std::vector<FormatShare> format_shares(const ModelFile& file);

/// docs/inspector.md describes the object: container, architecture, parameters, tensor_bytes, formats (most bytes
/// first), tensors, and blocks: the input, each layer, the output, with their operations. `config` and blocks are of a
/// supported architecture only; else `reason` says why they are missing.
base::Json describe_anatomy(const ModelFile& file);

}  // namespace ingle::core
