// Small vocabularies and questions for the tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "core/grammar/matcher.h"

namespace ingle::core {

inline std::shared_ptr<const TokenTrie> make_trie(std::vector<std::string> pieces,
                                                  const std::vector<std::string>& control = {}, bool bytes = true) {
  std::vector<std::string> tokens;
  for (int byte = 0; bytes && byte < 256; byte++) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.insert(tokens.end(), pieces.begin(), pieces.end());
  std::vector<bool> is_control(tokens.size(), false);
  for (const std::string& spelling : control) tokens.push_back(spelling), is_control.push_back(true);
  tokens.emplace_back("<end>");
  is_control.push_back(true);
  const auto end = static_cast<TokenId>(tokens.size() - 1);
  return std::make_shared<const TokenTrie>(tokens, is_control, std::vector<TokenId>{end});
}

/// A grammar or a failed test.
inline Grammar must(base::Result<Grammar> grammar) {
  EXPECT_TRUE(grammar.ok()) << (grammar.ok() ? "" : grammar.error().message);
  return grammar ? std::move(*grammar) : *Grammar::compile_regex("x");
}
inline Grammar gbnf(std::string_view text) {
  return must(Grammar::compile_gbnf(text));
}
inline base::Json json(std::string_view text) {
  auto parsed = base::parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : base::Json();
}
inline Grammar schema(std::string_view text, const JsonSchemaOptions& options = {}) {
  return must(Grammar::compile_json_schema(json(text), options));
}

inline std::shared_ptr<const TokenTrie> byte_trie() {
  static const auto trie = make_trie({});
  return trie;
}

inline bool takes(const Grammar& grammar, std::string_view text) {
  Matcher matcher(Constraint::make(grammar, byte_trie()));
  return matcher.accept_text(text) && matcher.complete();
}
/// Whether some text of the grammar begins so.
inline bool begins(const Grammar& grammar, std::string_view text) {
  Matcher matcher(Constraint::make(grammar, byte_trie()));
  return matcher.accept_text(text);
}

inline std::vector<uint32_t> mask_of(const Matcher& matcher) {
  std::vector<uint32_t> bits(matcher.mask_words(), 0xffffffff);
  matcher.fill_mask(bits);
  return bits;
}
inline bool has(const std::vector<uint32_t>& bits, TokenId id) {
  return (bits[static_cast<size_t>(id) / 32] >> (id % 32) & 1) != 0;
}

inline base::Json read_golden(const std::string& name) {
  const auto text = base::read_file(source_folder() + "/tests/data/grammar/" + name, 4 << 20);
  EXPECT_TRUE(text.ok()) << name;
  return text ? json(*text) : base::Json::array();
}

}  // namespace ingle::core
