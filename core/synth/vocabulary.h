// A byte-level BPE vocabulary of any size that tokenizes any text, made by counting and not by learning.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/files/gguf_writer.h"

namespace ingle::core {

/// 256 bytes and the control tokens; at most what pairs and triples of printable characters give.
constexpr uint32_t kMinVocabulary = 260;
constexpr uint32_t kMaxVocabulary = 1u << 19;

/// The keys tokenizer.ggml.* of `size` tokens, kMinVocabulary to kMaxVocabulary: the bytes, then merges of two, then of
/// three printable characters, then control tokens.
std::vector<std::pair<std::string, GgufValue>> synthetic_vocabulary(uint32_t size);

}  // namespace ingle::core
