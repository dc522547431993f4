// What the fuzzers do with a grammar.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "core/grammar/matcher.h"

namespace ingle::core {

inline GrammarLimits fuzz_limits() {
  GrammarLimits limits;
  limits.max_source_bytes = 1 << 16;
  limits.max_rules = 2'000;
  limits.max_states = 50'000;
  limits.max_work = 1'000'000;
  limits.max_pattern_states = 2'000;
  limits.max_parallel = 200;
  return limits;
}

/// Takes `text` as far as it goes, then the least byte that may come, a few hundred times. Checks that masks say what
/// is taken and that there is always a way on. The text, if it is a whole one.
inline std::string follow(const Grammar& grammar, std::string_view text) {
  static const auto trie = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; byte++) tokens.emplace_back(1, static_cast<char>(byte));
    for (const char* piece : {"\": \"", "\",", "ab", "\xc3\xa9\"", "1,", "\\\"", "<a>"}) tokens.emplace_back(piece);
    std::vector<bool> control(tokens.size(), false);
    control.back() = true;
    return std::make_shared<const TokenTrie>(tokens, control, std::vector<TokenId>{});
  }();
  Matcher matcher(Constraint::make(grammar, trie));
  std::vector<uint32_t> bits(matcher.mask_words());
  std::string taken;
  for (size_t step = 0; step < 300 && !matcher.must_end(); step++) {
    matcher.fill_mask(bits);
    TokenId next = -1;
    for (TokenId id = 0; id < static_cast<TokenId>(trie->vocabulary_size()); id++) {
      const bool allowed = (bits[static_cast<size_t>(id) / 32] >> (id % 32) & 1) != 0;
      if (step % 16 == 0 && Matcher(matcher).accept(id) != allowed) std::abort();
      const bool wanted = step < text.size() && id == static_cast<uint8_t>(text[step]);
      if (allowed && id < 256 && (wanted || next < 0)) next = id;
    }
    if (next < 0) {
      // The last resort is a control token, where a literal spells it; bytes would do as well.
      if (!matcher.complete()) std::abort();
      break;
    }
    if (!matcher.accept(next)) std::abort();
    taken += static_cast<char>(next);
  }
  if (!matcher.complete()) return "";
  if (!base::is_valid_utf8(taken)) std::abort();
  return taken;
}

}  // namespace ingle::core
