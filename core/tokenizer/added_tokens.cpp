#include "core/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/utf8.h"
#include "core/tokenizer/unicode.h"

namespace ingle::core {
namespace {

/// \w of the regex engine: letters, marks, numbers and connector punctuation (of which only ASCII's is looked at).
bool is_word_char(uint32_t c) {
  return c == '_' || (char_class(c) & (kLetter | kMark | kNumber)) != 0;
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_char(char_at(text, previous_char(text, begin)).value)) return true;
  return end < text.size() && is_word_char(char_at(text, end).value);
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  // One that is not valid UTF-8 could cut a character of the text in two.
  std::erase_if(tokens_, [](const AddedToken& t) { return t.content.empty() || !base::is_valid_utf8(t.content); });
  std::sort(tokens_.begin(), tokens_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  for (uint32_t i = 0; i < tokens_.size(); i++) {
    Bucket& bucket = first_[static_cast<unsigned char>(tokens_[i].content[0])];
    if (bucket.begin == bucket.end) bucket.begin = i;
    bucket.end = i + 1;
  }
}

const AddedToken* AddedTokens::longest_at(std::string_view text, size_t pos) const {
  const Bucket bucket = first_[static_cast<unsigned char>(text[pos])];
  uint32_t begin = bucket.begin;
  uint32_t end = bucket.end;
  const AddedToken* best = nullptr;
  // [begin, end) are the tokens that start with the first `depth` bytes here; the shortest of them comes first.
  for (size_t depth = 1; begin < end; depth++) {
    while (begin < end && tokens_[begin].content.size() == depth) best = &tokens_[begin++];
    if (pos + depth >= text.size()) break;
    const auto byte = static_cast<unsigned char>(text[pos + depth]);
    const auto first = tokens_.begin();
    const auto at = [depth](const AddedToken& t) { return static_cast<unsigned char>(t.content[depth]); };
    const auto low = std::lower_bound(first + begin, first + end, byte,
                                      [&](const AddedToken& t, unsigned char value) { return at(t) < value; });
    const auto high = std::upper_bound(low, first + end, byte,
                                       [&](unsigned char value, const AddedToken& t) { return value < at(t); });
    begin = static_cast<uint32_t>(low - first);
    end = static_cast<uint32_t>(high - first);
  }
  return best;
}

std::optional<AddedTokens::Found> AddedTokens::find(std::string_view text, size_t from, bool parse_special) const {
  if (tokens_.empty()) return std::nullopt;
  for (size_t pos = from; pos < text.size();) {
    const AddedToken* token = starts_any(text[pos]) ? longest_at(text, pos) : nullptr;
    if (token == nullptr) {
      pos++;
      continue;
    }
    Found found{pos, pos + token->content.size(), token->id};
    // A token that is not wanted here still hides shorter ones inside it.
    if ((token->special && !parse_special) || (token->single_word && touches_word(text, found.begin, found.end))) {
      pos = found.end;
      continue;
    }
    while (token->left_strip && found.begin > from) {
      const size_t before = previous_char(text, found.begin);
      if ((char_class(char_at(text, before).value) & kSpace) == 0) break;
      found.begin = before;
    }
    while (token->right_strip && found.end < text.size()) {
      const Char c = char_at(text, found.end);
      if ((char_class(c.value) & kSpace) == 0) break;
      found.end += c.length;
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace ingle::core
