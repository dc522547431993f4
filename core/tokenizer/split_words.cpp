// The expressions that cut text into words, numbers, punctuation and white space. Regular expressions are alternatives
// tried in order, each greedy; the comments name the alternative that a step stands for, and where a greedy run would
// give characters back, the place where that ends is remembered on the way instead.
#include "core/tokenizer/scan.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

/// The end of 's 't 're 've 'm 'll 'd after the apostrophe at `pos`, or `pos`. With `any_case`, as (?i:...) has it,
/// which includes U+017F, the long s.
size_t match_contraction(std::string_view text, size_t pos, bool any_case) {
  if (pos + 1 >= text.size() || text[pos] != '\'') return pos;
  const auto letter = [&](size_t at) {
    if (at >= text.size()) return '\0';
    const char c = text[at];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  const char first = letter(pos + 1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return pos + 2;
  const char second = letter(pos + 2);
  if (((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l')) return pos + 3;
  if (any_case && text.substr(pos + 1, 2) == "\xC5\xBF") return pos + 3;
  return pos;
}

/// \s+(?!\S)|\s+ at white space: a run gives its last character to the word that follows, if it has one to spare.
size_t match_space(std::string_view text, size_t pos) {
  const size_t end = skip_classes(text, pos, kSpace);
  if (end == text.size()) return end;
  const size_t last = previous_char(text, end);
  return last > pos ? last : end;
}

/// \s*[\r\n]+|\s+(?!\S)|\s+ at white space: up to the last newline of the run, if it has one.
size_t match_space_to_newline(std::string_view text, size_t pos) {
  size_t after_newline = pos;
  size_t last = pos;
  size_t end = pos;
  while (end < text.size()) {
    const ClassedChar c = classed_at(text, end);
    if (!c.is(kSpace)) break;
    last = end;
    end += c.length;
    if (c.is(kNewline)) after_newline = end;
  }
  if (after_newline > pos) return after_newline;
  if (end == text.size() || last == pos) return end;
  return last;
}

Match find_gpt2(std::string_view text, size_t pos) {
  if (pos >= text.size()) return {};
  const size_t contraction = match_contraction(text, pos, false);
  if (contraction > pos) return {pos, contraction};
  ClassedChar c = classed_at(text, pos);
  size_t start = pos;
  if (c.value == ' ') {
    start = pos + 1;
    c = classed_at(text, start);
    if (c.length == 0 || c.is(kSpace)) return {pos, match_space(text, pos)};
  } else if (c.is(kSpace)) {
    return {pos, match_space(text, pos)};
  }
  if (c.is(kLetter)) return {pos, skip_classes(text, start, kLetter)};
  if (c.is(kNumber)) return {pos, skip_classes(text, start, kNumber)};
  return {pos, skip_other(text, start, kSpace | kLetter | kNumber)};
}

/// What differs between the expressions that follow Llama 3's.
struct WordRules {
  unsigned word;         ///< classes of a word: \p{L} or [\p{L}\p{M}]
  unsigned not_symbols;  ///< classes that ` ?[^...]+` leaves out, besides white space
  int digits;            ///< the longest number
};

/// CONTRACTION|[^\r\n\p{L}\p{N}]?WORD+|\p{N}{1,digits}| ?[^\s...]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
Match find_words(std::string_view text, size_t pos, const WordRules& rules) {
  if (pos >= text.size()) return {};
  const size_t contraction = match_contraction(text, pos, true);
  if (contraction > pos) return {pos, contraction};
  const ClassedChar c = classed_at(text, pos);
  if (c.is(kLetter)) return {pos, skip_classes(text, pos, rules.word)};
  if (c.is(kNumber)) return {pos, skip_classes_limited(text, pos, kNumber, rules.digits)};
  const size_t after = pos + c.length;
  const ClassedChar next = classed_at(text, after);
  if (!c.is(kNewline) && next.is(rules.word)) return {pos, skip_classes(text, after, rules.word)};
  if (c.is(rules.word)) return {pos, skip_classes(text, pos, rules.word)};  // a mark with nothing after it
  const unsigned stop = kSpace | rules.not_symbols;
  if (!c.is(kSpace) || (c.value == ' ' && next.length > 0 && !next.is(stop))) {
    return {pos, skip_classes(text, skip_other(text, after, stop), kNewline)};
  }
  return {pos, match_space_to_newline(text, pos)};
}

Match find_llama3(std::string_view text, size_t pos) {
  return find_words(text, pos, {kLetter, kLetter | kNumber, 3});
}

Match find_qwen2(std::string_view text, size_t pos) {
  return find_words(text, pos, {kLetter, kLetter | kNumber, 1});
}

Match find_qwen35(std::string_view text, size_t pos) {
  return find_words(text, pos, {kLetter | kMark, kLetter | kMark | kNumber, 1});
}

/// Skips characters that this expression matches nowhere (control, format, unassigned ones, and numbers), so unlike the
/// others it has gaps.
Match find_deepseek3(std::string_view text, size_t from) {
  constexpr unsigned kWord = kLetter | kMark;
  constexpr unsigned kSigns = kPunctuation | kSymbol;
  const auto ascii_letter = [&](size_t at) {
    return at < text.size() && ((text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z'));
  };
  for (size_t pos = from; pos < text.size();) {
    const ClassedChar c = classed_at(text, pos);
    const size_t after = pos + c.length;
    if (c.value < 128 && c.is(kSigns) && ascii_letter(after)) {
      size_t end = after;
      while (ascii_letter(end)) end++;
      return {pos, end};
    }
    const ClassedChar next = classed_at(text, after);
    if (!c.is(kNewline | kLetter | kSigns) && next.is(kWord)) return {pos, skip_classes(text, after, kWord)};
    if (c.is(kWord)) return {pos, skip_classes(text, pos, kWord)};
    if (c.is(kSigns) || (c.value == ' ' && next.is(kSigns))) {
      return {pos, skip_classes(text, skip_classes(text, after, kSigns), kNewline)};
    }
    if (c.is(kSpace)) return {pos, match_space_to_newline(text, pos)};
    pos = after;
  }
  return {};
}

constexpr unsigned kUpperish = kUpper | kOtherLetter | kMark;
constexpr unsigned kLowerish = kLower | kOtherLetter | kMark;

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ : end, or `pos`. If no lower-case letter follows the
/// first run, that gives back what stands after its last character that is in both sets.
size_t match_upper_lower(std::string_view text, size_t pos) {
  size_t after_both = pos;
  size_t end = pos;
  ClassedChar c = classed_at(text, end);
  for (; c.is(kUpperish); c = classed_at(text, end)) {
    end += c.length;
    if (c.is(kLowerish)) after_both = end;
  }
  return c.is(kLower) ? skip_classes(text, end, kLowerish) : after_both;
}

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*
size_t match_uppers(std::string_view text, size_t pos) {
  const size_t end = skip_classes(text, pos, kUpperish);
  return end == pos ? pos : skip_classes(text, end, kLowerish);
}

struct CasedRules {
  bool contractions;
  int digits;
};

/// A word by case, with one character before it where [^\r\n\p{L}\p{N}]? takes one; `pos` where there is none.
size_t match_cased_word(std::string_view text, size_t pos, const ClassedChar& c) {
  if (c.is(kNumber)) return pos;
  const bool prefix = !c.is(kNewline | kLetter);
  const size_t after = pos + c.length;
  for (const auto match : {match_upper_lower, match_uppers}) {
    if (prefix) {
      const size_t end = match(text, after);
      if (end > after) return end;
    }
    const size_t end = match(text, pos);
    if (end > pos) return end;
  }
  return pos;
}

Match find_cased(std::string_view text, size_t pos, const CasedRules& rules) {
  if (pos >= text.size()) return {};
  const ClassedChar c = classed_at(text, pos);
  const size_t word = match_cased_word(text, pos, c);
  if (word > pos) return {pos, rules.contractions ? match_contraction(text, word, true) : word};
  if (c.is(kNumber)) return {pos, skip_classes_limited(text, pos, kNumber, rules.digits)};
  constexpr unsigned kStop = kSpace | kLetter | kNumber;
  const size_t after = pos + c.length;
  const ClassedChar next = classed_at(text, after);
  if (!c.is(kSpace) || (c.value == ' ' && next.length > 0 && !next.is(kStop))) {
    size_t end = skip_other(text, after, kStop);
    while (end < text.size() && (text[end] == '\r' || text[end] == '\n' || text[end] == '/')) end++;
    return {pos, end};
  }
  return {pos, match_space_to_newline(text, pos)};
}

Match find_tekken(std::string_view text, size_t pos) {
  return find_cased(text, pos, {false, 1});
}
Match find_gpt4o(std::string_view text, size_t pos) {
  return find_cased(text, pos, {true, 3});
}

}  // namespace

const SplitRule kGpt2Words = {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
                              find_gpt2};
const SplitRule kLlama3Words = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
    find_llama3};
const SplitRule kQwen2Words = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
    find_qwen2};
const SplitRule kQwen35Words = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
    find_qwen35};
// The model's own file has line breaks, not their escapes, in this pattern.
const SplitRule kDeepseek3Words = {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                                   "\r\n"
                                   R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                                   "\r\n"
                                   R"(]*|\s*[)"
                                   "\r\n"
                                   R"(]+|\s+(?!\S)|\s+)",
                                   find_deepseek3};
const SplitRule kTekkenWords = {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                                R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N})"
                                R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
                                find_tekken};
const SplitRule kGpt4oWords = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    find_gpt4o};

}  // namespace ingle::core
