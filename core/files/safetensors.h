// safetensors: one file parsed from memory, and models in Hugging Face's folder layout. Format:
// https://github.com/huggingface/safetensors#format
//
//   u64:n  n bytes of JSON {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}  data
//
// Offsets count from the first byte after the JSON, and the tensors cover the data without gaps. "__metadata__" maps
// strings to strings. Shapes are outermost first; Tensor::dims is the reverse.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// Parses and checks everything but the tensors' values; data points into `bytes`. Leaves out buffers that are not
/// weights (rotary_emb.inv_freq, position_ids, …). That names are unique is checked over all shards. Takes memory in
/// proportion to the header.
/// Errors: corrupt, unsupported (dtype), limit_exceeded (a header over 100,000,000 bytes, the reference's bound).
base::Result<std::vector<Tensor>> parse_safetensors(std::span<const std::byte> bytes, std::string_view file);

/// As parse_safetensors, of a file that may end where the data begins: the tensors' data is zeros.
struct SafetensorsDescription {
  std::vector<Tensor> tensors;
  base::MappedFile data;
};
base::Result<SafetensorsDescription> describe_safetensors(std::span<const std::byte> bytes, std::string_view file);

/// Whether a tensor of this name is a buffer that models compute and never needs loading.
bool is_computed_buffer(std::string_view tensor_name);

/// model.safetensors.index.json: which file of the folder holds which tensor.
struct SafetensorsIndex {
  std::set<std::string, std::less<>> shards;  ///< plain file names
  std::map<std::string, const std::string*, std::less<>> shard_of;
};

/// Errors: corrupt (a shard's name that is not a plain file name, or a tensor listed twice), limit_exceeded.
base::Result<SafetensorsIndex> parse_safetensors_index(std::string_view text, std::string_view file);

/// A folder with config.json and model.safetensors.index.json, model.safetensors or one other .safetensors file.
base::Result<ModelFile> open_safetensors_folder(const std::filesystem::path& folder, FileContents contents);

/// A .safetensors file with config.json beside it; a shard that the index beside it lists opens all shards.
base::Result<ModelFile> open_safetensors_file(const std::filesystem::path& path, FileContents contents);

}  // namespace ingle::core
