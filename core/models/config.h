// Reads hyperparameters from GGUF metadata or config.json with the same calls.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/models/model.h"

namespace ingle::core {

/// Looks a parameter up under its GGUF key ("embedding_length", after the architecture's prefix) or its config.json
/// key, whichever container the file is. An empty key: the container has no such parameter.
class ConfigReader {
 public:
  ConfigReader(const ModelFile& file, std::string_view architecture)
      : metadata_(file.metadata),
        gguf_(file.container == ContainerFormat::gguf),
        prefix_(std::string(architecture) + ".") {}

  bool gguf() const { return gguf_; }
  const Metadata& metadata() const { return metadata_; }
  std::optional<uint32_t> find_uint(std::string_view gguf_key, std::string_view json_key) const;
  std::optional<float> find_float(std::string_view gguf_key, std::string_view json_key) const;
  const std::string* find_string(std::string_view gguf_key, std::string_view json_key) const;
  /// The value, or `fallback`; remembers an error where a required one (no fallback) is missing.
  uint32_t uint(std::string_view gguf_key, std::string_view json_key, std::optional<uint32_t> fallback = {});
  float real(std::string_view gguf_key, std::string_view json_key, std::optional<float> fallback = {});

  /// The parameters that every decoder has, rope and its scaling included. Errors: corrupt, unsupported,
  /// limit_exceeded.
  base::Result<ModelConfig> read_decoder(const ModelFile& file);
  /// Those that encoders have; token embeddings are called `embedding`. Errors: corrupt, unsupported.
  base::Result<ModelConfig> read_encoder(const ModelFile& file, const Tensor* embedding);

 private:
  std::string key(std::string_view gguf_key, std::string_view json_key) const;
  ModelConfig read_sizes();
  base::Status finish(const ModelFile& file, const Tensor* embedding, ModelConfig& config) const;
  base::Status read_rope(const ModelFile& file, ModelConfig& config);
  base::Status read_gguf_rope(const ModelFile& file, ModelConfig& config);
  base::Status read_json_rope(ModelConfig& config);
  base::Status check(const ModelConfig& config) const;

  const Metadata& metadata_;
  bool gguf_;
  std::string prefix_;
  std::string missing_;
};

/// Scaling parameters under `prefix` ("rope_scaling.", "rope_parameters.full_attention.") of a config.json.
base::Status read_json_scaling(const Metadata& metadata, const std::string& prefix, const ModelConfig& config,
                               RopeConfig& rope);

/// Inverse frequencies and factor of a rotary embedding for a run of `context_length` tokens.
RopeSpec make_rope(const RopeConfig& config, uint32_t context_length);

}  // namespace ingle::core
