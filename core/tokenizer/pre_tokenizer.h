// A pre-tokenizer cuts a text into pieces, and byte-pair merges never cross a cut. Published tokenizers state the cuts
// as regular expressions; here each expression is a hand-written function that finds the next match in linear time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::core {

struct Match {
  size_t begin = 0, end = 0;  ///< begin == end: no more matches
};

/// One cut: what matches becomes a piece of its own, and so does what lies between two matches.
struct SplitRule {
  std::string_view pattern;  ///< the expression, as tokenizer.json spells it
  /// The first match at or after `from`. `text` is one whole piece, which look-ahead does not leave.
  Match (*find)(std::string_view text, size_t from);
};

/// The rules that `tokenizer.ggml.pre` names. One file rules_NAME.cpp each, collected by the build.
struct PreTokenizer {
  std::string_view name;
  std::span<const std::string_view> aliases;  ///< other names with the same rules
  std::span<const SplitRule* const> splits;   ///< applied in turn, each to the pieces of the one before
  bool nfc = false;                           ///< the models' own tokenizer.json normalises to NFC first
  bool ignore_merges = false;                 ///< a piece that is a token as a whole is not merged up
  bool add_bos = false;                       ///< where the metadata does not say
};

std::span<const PreTokenizer* const> all_pre_tokenizers();

/// nullptr where no record has the name.
const PreTokenizer* find_pre_tokenizer(std::string_view name);

/// All names and aliases, sorted, for an error message.
std::string pre_tokenizer_names();

/// The rule whose pattern is exactly this, or nullptr.
const SplitRule* find_split_rule(std::string_view pattern);

/// Cuts `text` by `rules` and appends the ends of the pieces to `ends`, which it clears. `scratch` is working space.
void split_text(std::string_view text, std::span<const SplitRule* const> rules, std::vector<size_t>& ends,
                std::vector<size_t>& scratch);

}  // namespace ingle::core
