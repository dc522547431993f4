#include "core/synth/vocabulary.h"

#include <cassert>
#include <iterator>

#include "core/tokenizer/byte_alphabet.h"

namespace ingle::core {
namespace {

/// What fillers are made of, the likely characters first: the low ids of a merge win. Bytes that need no other
/// spelling than their own, and the space.
constexpr std::string_view kCharacters =
    " etaoinshrdlucmfwygpbvkxjqzETAOINSHRDLUCMFWYGPBVKXJQZ0123456789.,;:!?'\"()[]{}<>=+-*/%&|^~_#$@\\`";
constexpr uint64_t kCount = kCharacters.size();
static_assert(256 + kCount * kCount + kCount * kCount * kCount > kMaxVocabulary);

/// llama.cpp looks all four up in a model called Phi-3.
constexpr std::string_view kControls[] = {"<unk>", "<|endoftext|>", "<s>", "</s>"};
static_assert(256 + std::size(kControls) == kMinVocabulary);

std::string spelling(unsigned char byte) {
  std::string out;
  append_byte_char(out, byte);
  return out;
}

std::string character(uint64_t i) {
  return spelling(static_cast<unsigned char>(kCharacters[i % kCount]));
}

}  // namespace

std::vector<std::pair<std::string, GgufValue>> synthetic_vocabulary(uint32_t size) {
  assert(size >= kMinVocabulary && size <= kMaxVocabulary);
  std::vector<std::string> tokens, merges;
  tokens.reserve(size);
  merges.reserve(size - kMinVocabulary);
  for (unsigned byte = 0; byte < 256; ++byte) tokens.push_back(spelling(static_cast<unsigned char>(byte)));
  // Filler i merges two characters; after all of those, such a pair and a third one.
  for (uint64_t i = 0; tokens.size() + std::size(kControls) < size; ++i) {
    const uint64_t pair = i < kCount * kCount ? i : (i - kCount * kCount) / kCount;
    std::string left = character(pair / kCount), right = character(pair);
    if (i >= kCount * kCount) {
      left += right;
      right = character(i);
    }
    merges.push_back(left + " " + right);
    tokens.push_back(left + right);
  }
  std::vector<int32_t> types(tokens.size(), 1);  // normal
  for (const std::string_view control : kControls) {
    tokens.emplace_back(control);
    types.push_back(3);
  }

  std::vector<std::pair<std::string, GgufValue>> out;
  out.emplace_back("tokenizer.ggml.model", "gpt2");
  out.emplace_back("tokenizer.ggml.pre", "default");
  out.emplace_back("tokenizer.ggml.tokens", std::move(tokens));
  out.emplace_back("tokenizer.ggml.token_type", std::move(types));
  out.emplace_back("tokenizer.ggml.merges", std::move(merges));
  out.emplace_back("tokenizer.ggml.bos_token_id", uint32_t{size - 2});
  out.emplace_back("tokenizer.ggml.eos_token_id", uint32_t{size - 1});
  out.emplace_back("tokenizer.ggml.add_bos_token", false);
  return out;
}

}  // namespace ingle::core
