#include "core/tokenizer/word_piece_tokenizer.h"

#include <algorithm>

#include "base/utf8.h"
#include "core/tokenizer/scan.h"

namespace ingle::core {
namespace {

struct Range {
  uint32_t first, last;
};

/// The CJK blocks that BERT puts spaces around.
bool is_chinese(uint32_t c) {
  static constexpr Range kRanges[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                      {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_space(uint32_t c) {
  return (char_class(c) & kSpace) != 0;
}

/// What cleaning drops: NUL, U+FFFD and control characters other than white space.
bool is_dropped(uint32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0 || c == 0xFFFD || is_control(c);
}

/// Canonical decomposition without the non-spacing marks.
std::string strip_accents(std::string_view text) {
  std::u32string chars;
  for (size_t pos = 0; pos < text.size();) {
    const Char c = char_at(text, pos);
    append_decomposition(chars, c.value);
    pos += c.length;
  }
  reorder_marks(chars);
  std::string out;
  for (const char32_t c : chars) {
    if (!is_nonspacing_mark(c)) base::append_utf8(out, c);
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

}  // namespace

void WordPieceTokenizer::set_up_words(const TokenizerDefinition& definition) {
  words_ = definition.word_pieces;
}

std::string WordPieceTokenizer::normalize(std::string_view text, Place) const {
  std::string out;
  out.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    const Char c = char_at(text, pos);
    const std::string_view spelt = text.substr(pos, c.length);
    pos += c.length;
    if (words_.clean && is_dropped(c.value)) continue;
    if (words_.clean && is_space(c.value)) {
      out += ' ';
    } else if (words_.chinese && is_chinese(c.value)) {
      out.append(" ").append(spelt).append(" ");
    } else {
      out += spelt;
    }
  }
  if (words_.strip_accents && !is_ascii(out)) out = strip_accents(out);
  if (!words_.lower) return out;
  std::string lower;
  lower.reserve(out.size());
  for (size_t pos = 0; pos < out.size();) {
    const Char c = char_at(out, pos);
    append_lowercase(lower, c.value);
    pos += c.length;
  }
  return lower;
}

void WordPieceTokenizer::encode_normal(std::string_view view, Place, EncodeScratch& scratch,
                                       std::vector<TokenId>& out) const {
  size_t begin = 0;
  const auto end_word = [&](size_t end) {
    if (end > begin) encode_word(view.substr(begin, end - begin), scratch.piece, out);
  };
  for (size_t pos = 0; pos < view.size();) {
    const Char c = char_at(view, pos);
    const size_t after = pos + c.length;
    if (is_space(c.value)) {
      end_word(pos);
      begin = after;
    } else if (is_hf_punctuation(c.value)) {
      end_word(pos);
      begin = pos;
      end_word(after);
      begin = after;
    }
    pos = after;
  }
  end_word(view.size());
}

void WordPieceTokenizer::encode_word(std::string_view word, std::string& candidate, std::vector<TokenId>& out) const {
  const size_t before = out.size();
  const auto give_up = [&] {
    out.resize(before);
    if (unknown() != kNoToken) out.push_back(unknown());
  };
  size_t characters = 0;
  for (size_t pos = 0; pos < word.size(); pos += char_at(word, pos).length) characters++;
  if (characters > words_.longest_word) return give_up();
  for (size_t begin = 0; begin < word.size();) {
    // In GGUF's spelling, a mark inside a word would make a continuation look like a word's start.
    if (begin > 0 && !words_.word_start.empty() && word.substr(begin).starts_with(words_.word_start)) return give_up();
    const std::string& prefix = begin == 0 ? words_.word_start : words_.continuing;
    candidate = prefix;
    candidate += word.substr(begin);
    TokenId id = kNoToken;
    size_t end = word.size();
    for (; end > begin; end = previous_char(word, end)) {
      candidate.resize(prefix.size() + end - begin);
      id = vocabulary().find(candidate);
      if (id != kNoToken) break;
    }
    if (id == kNoToken) return give_up();
    out.push_back(id);
    begin = end;
  }
}

void WordPieceTokenizer::encode_byte(unsigned char, std::vector<TokenId>& out) const {
  if (unknown() != kNoToken) out.push_back(unknown());
}

// A token starts a word unless it is spelt as a continuation; the space before the first word of a text is dropped by
// decode().
void WordPieceTokenizer::append_bytes(TokenId id, std::string& out) const {
  const std::string_view text = vocabulary().text(id);
  if (!words_.word_start.empty()) {
    if (!text.starts_with(words_.word_start)) {
      out += text;
      return;
    }
    out += ' ';
    out += text.substr(words_.word_start.size());
  } else if (text.size() > words_.continuing.size() && text.starts_with(words_.continuing)) {
    out += text.substr(words_.continuing.size());
  } else {
    out += ' ';
    out += text;
  }
}

std::string WordPieceTokenizer::decode(std::span<const TokenId> ids, bool show_special) const {
  std::string out;
  for (const TokenId id : ids) {
    const TokenKind kind = token_kind(id);
    const std::string bytes = token_bytes(id, show_special);
    if (!bytes.empty() && (kind == TokenKind::control || kind == TokenKind::unknown)) out += ' ';
    out += bytes;
  }
  if (out.starts_with(' ')) out.erase(0, 1);
  return out;
}

}  // namespace ingle::core
