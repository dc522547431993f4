// Three targets in one, chosen by the first byte: encoding arbitrary bytes and getting them back; hostile GGUF
// vocabularies; hostile tokenizer.json files (seeds: tests/data/tokenizer/*.hf/tokenizer.json behind a '2').
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "core/tokenizer/definition.h"
#include "core/tokenizer/test_models.h"

namespace {

using ingle::core::EncodeOptions;
using ingle::core::Metadata;
using ingle::core::Tokenizer;

void check(bool condition) {
  if (!condition) std::abort();
}

/// A tokenizer that changes no text: what it encodes must come back, and every id must exist.
void check_round_trip(const Tokenizer& tokenizer, std::string_view text, bool exact) {
  const auto ids = tokenizer.encode(text);
  for (const auto id : ids) check(id >= 0 && static_cast<uint32_t>(id) < tokenizer.vocabulary_size());
  const std::string back = tokenizer.decode(ids);
  if (exact) check(back == text);
  (void)tokenizer.encode(text, {.add_special = true, .parse_special = true});
}

void fuzz_text(uint8_t choice, std::string_view text) {
  static const auto tokenizers = [] {
    const std::vector<std::string> merges = {"a b", "ab c", "Ġ a", "Ġ Ġ", "ĠĠ ĠĠ", "a a", "1 2", "Ċ Ċ", "' s"};
    std::vector<std::pair<std::unique_ptr<Tokenizer>, bool>> out;
    for (const auto* record : ingle::core::all_pre_tokenizers()) {
      auto metadata = ingle::core::byte_level_metadata(std::string(record->name), merges, {"<|im_end|>", "<x>"});
      out.emplace_back(std::move(*ingle::core::load_gguf_tokenizer(metadata)), !record->nfc);
    }
    for (const bool prefix : {true, false}) {
      auto metadata =
          ingle::core::scores_metadata({"ab", "\u2581a", "\u2581", "a", "aa", "x\u2581y", "\u2581\u2581"}, prefix);
      out.emplace_back(std::move(*ingle::core::load_gguf_tokenizer(metadata)), false);
    }
    return out;
  }();
  const auto& [tokenizer, exact] = tokenizers[choice % tokenizers.size()];
  // SentencePiece cannot tell U+2581 in a text from a space.
  const bool plain =
      choice % tokenizers.size() >= tokenizers.size() - 2 && text.find("\u2581") == std::string_view::npos;
  check_round_trip(*tokenizer, text, exact || plain);
}

/// Cuts the input at 0xFF bytes.
std::vector<std::string> cut(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const size_t end = text.find('\xFF');
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

void fuzz_metadata(uint8_t choice, std::string_view text) {
  static constexpr const char* kModels[] = {"gpt2", "llama", "bert"};
  const std::vector<std::string> parts = cut(text);
  Metadata metadata;
  metadata.values["tokenizer.ggml.model"] = std::string(kModels[choice % 3]);
  metadata.values["tokenizer.ggml.pre"] = std::string(choice & 4 ? "gpt-4o" : "falcon");
  std::vector<std::string> tokens, merges;
  for (const std::string& part : parts) (part.find(' ') == std::string::npos ? tokens : merges).push_back(part);
  std::vector<int64_t> types;
  std::vector<double> scores;
  for (const std::string& token : tokens) {
    types.push_back(token.empty() ? 1 : static_cast<unsigned char>(token[0]) % 8);
    scores.push_back(token.size() == 9 ? std::numeric_limits<double>::quiet_NaN() : -static_cast<double>(token.size()));
  }
  if (choice & 8) metadata.values["tokenizer.ggml.token_type"] = types;
  if (choice & 16) metadata.values["tokenizer.ggml.bos_token_id"] = static_cast<uint64_t>(choice);
  if (choice & 32) scores.push_back(0);
  metadata.values["tokenizer.ggml.unknown_token_id"] = static_cast<uint64_t>(choice & 1);
  metadata.values["tokenizer.ggml.tokens"] = tokens;
  metadata.values["tokenizer.ggml.merges"] = merges;
  metadata.values["tokenizer.ggml.scores"] = scores;
  const auto tokenizer = ingle::core::load_gguf_tokenizer(metadata);
  if (tokenizer) check_round_trip(**tokenizer, text, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 3) {
    case 0:
      fuzz_text(data[1], text);
      break;
    case 1:
      fuzz_metadata(data[1], text);
      break;
    default: {
      const auto tokenizer = ingle::core::load_json_tokenizer(text, data[1] & 1 ? R"({"bos_token": "a"})" : "");
      if (tokenizer) check_round_trip(**tokenizer, text, false);
    }
  }
  return 0;
}
