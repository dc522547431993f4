// Text to token ids and back. Immutable after loading and safe to use from many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

using TokenId = int32_t;

struct EncodeOptions {
  bool add_special = false;    ///< add BOS/EOS (or CLS/SEP) as the model's own rules say
  bool parse_special = false;  ///< special tokens written in the text become their ids; false: they are plain text
};

/// What a token is, from the vocabulary.
enum class TokenKind : uint8_t { normal, unknown, control, user_defined, unused, byte };

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Any bytes; where they are not valid UTF-8 the offending bytes are encoded singly, so that decode gives them back.
  virtual std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;

  /// The bytes of `ids`, as the model's own decoder joins them. Special (control) tokens print their text if
  /// `show_special`, else nothing. Ids out of range give nothing.
  virtual std::string decode(std::span<const TokenId> ids, bool show_special = false) const = 0;

  /// The bytes that `id` adds in the middle of a text (may be part of a code point); for streaming.
  virtual std::string token_bytes(TokenId id, bool show_special = false) const = 0;

  virtual uint32_t vocabulary_size() const = 0;
  virtual std::string_view token_text(TokenId id) const = 0;  ///< as the vocabulary spells it
  virtual TokenKind token_kind(TokenId id) const = 0;
  virtual std::optional<TokenId> find_token(std::string_view text) const = 0;  ///< by vocabulary spelling

  struct SpecialIds {
    std::optional<TokenId> bos, eos, eot, eom, unknown, separator, padding, mask, cls;
    std::optional<TokenId> fim_prefix, fim_suffix, fim_middle;
    bool add_bos = false, add_eos = false;  ///< what add_special adds
  };
  virtual const SpecialIds& special() const = 0;

  /// End of sequence, turn or message: from metadata and from well-known names in the vocabulary. Sorted.
  virtual const std::vector<TokenId>& stop_ids() const = 0;

  /// What its tables take in memory.
  virtual uint64_t memory_bytes() const = 0;
};

/// From GGUF metadata (tokenizer.ggml.*) or from a safetensors folder's tokenizer.json (+ tokenizer_config.json).
/// Errors: unsupported (names the tokenizer or pre-tokenizer and lists what is supported), corrupt, limit_exceeded.
base::Result<std::unique_ptr<Tokenizer>> load_tokenizer(const ModelFile& file);

}  // namespace ingle::core
