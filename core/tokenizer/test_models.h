// Small tokenizers for tests and fuzzers.
#pragma once

#include <string>
#include <vector>

#include "core/files/model_file.h"
#include "core/tokenizer/byte_alphabet.h"

namespace ingle::core {

/// Metadata of a byte-level vocabulary: the 256 bytes (token id = byte), then what `merges` make, then `special` as
/// control tokens.
inline Metadata byte_level_metadata(const std::string& pre, const std::vector<std::string>& merges,
                                    const std::vector<std::string>& special = {}) {
  std::vector<std::string> tokens(256);
  for (unsigned byte = 0; byte < 256; byte++) append_byte_char(tokens[byte], static_cast<unsigned char>(byte));
  for (const std::string& merge : merges) {
    std::string joined = merge;
    joined.erase(joined.find(' ', 1), 1);
    tokens.push_back(joined);
  }
  std::vector<int64_t> types(tokens.size(), 1);
  for (const std::string& token : special) {
    tokens.push_back(token);
    types.push_back(3);
  }
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string("gpt2");
  metadata.values["tokenizer.ggml.pre"] = pre;
  metadata.values["tokenizer.ggml.tokens"] = std::move(tokens);
  metadata.values["tokenizer.ggml.token_type"] = std::move(types);
  metadata.values["tokenizer.ggml.merges"] = merges;
  return metadata;
}

/// Metadata of a SentencePiece vocabulary: <unk> <s> </s>, the 256 byte tokens, then `pieces`, the first the best.
inline Metadata scores_metadata(const std::vector<std::string>& pieces, bool space_prefix) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<int64_t> types = {2, 3, 3};
  constexpr const char* kDigits = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; byte++) {
    tokens.push_back(std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">");
    types.push_back(6);
  }
  std::vector<double> scores(tokens.size(), 0);
  for (size_t i = 0; i < pieces.size(); i++) {
    tokens.push_back(pieces[i]);
    types.push_back(1);
    scores.push_back(-static_cast<double>(i));
  }
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string("llama");
  metadata.values["tokenizer.ggml.tokens"] = std::move(tokens);
  metadata.values["tokenizer.ggml.token_type"] = std::move(types);
  metadata.values["tokenizer.ggml.scores"] = std::move(scores);
  metadata.values["tokenizer.ggml.bos_token_id"] = uint64_t{1};
  metadata.values["tokenizer.ggml.eos_token_id"] = uint64_t{2};
  metadata.values["tokenizer.ggml.unknown_token_id"] = uint64_t{0};
  metadata.values["tokenizer.ggml.add_space_prefix"] = space_prefix;
  return metadata;
}

}  // namespace ingle::core
