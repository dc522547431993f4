// The expressions that match runs or single characters and leave gaps between.
#include <algorithm>
#include <iterator>

#include "core/tokenizer/scan.h"
#include "core/tokenizer/split_rules.h"

namespace ingle::core {
namespace {

struct Range {
  uint32_t first, last;
};

template <size_t N>
constexpr bool in_ranges(const Range (&ranges)[N], uint32_t value) {
  const auto it = std::upper_bound(std::begin(ranges), std::end(ranges), value,
                                   [](uint32_t v, const Range& r) { return v < r.first; });
  return it != std::begin(ranges) && value <= std::prev(it)->last;
}

/// The next run of at most `limit` characters for which `is` holds.
template <typename Is>
Match find_run(std::string_view text, size_t from, size_t limit, Is is) {
  for (size_t pos = from; pos < text.size();) {
    Char c = char_at(text, pos);
    if (!is(c.value)) {
      pos += c.length;
      continue;
    }
    size_t end = pos;
    for (size_t count = 0; count < limit && end < text.size(); count++) {
      c = char_at(text, end);
      if (!is(c.value)) break;
      end += c.length;
    }
    return {pos, end};
  }
  return {};
}

/// The next run with the white-space character right before it, if any: \s?[...]+ . No character of the run is white
/// space, unless `is` says so: then a run may start with it all the same.
template <typename Is>
Match find_run_after_space(std::string_view text, size_t from, Is is) {
  const Match run = find_run(text, from, SIZE_MAX, is);
  if (run.begin == run.end || run.begin == from) return run;
  const size_t before = previous_char(text, run.begin);
  return (char_class(char_at(text, before).value) & kSpace) != 0 ? Match{before, run.end} : run;
}

template <unsigned kMask>
constexpr bool has_class(uint32_t c) {
  return (char_class(c) & kMask) != 0;
}

constexpr size_t kAll = SIZE_MAX;

Match find_newline(std::string_view text, size_t from) {
  const size_t at = text.find_first_of("\r\n", from);
  return at == std::string_view::npos ? Match{} : Match{at, at + 1};
}

Match find_ascii_digits3(std::string_view text, size_t from) {
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  for (size_t pos = from; pos + 3 <= text.size(); pos++) {
    if (digit(pos) && digit(pos + 1) && digit(pos + 2)) return {pos, pos + 3};
  }
  return {};
}

// ByteLevel writes the bytes B2 B3 B9 BC BD BE as the characters U+00B2 and so on, which are numbers, so a Digits step
// after it cuts inside characters whose UTF-8 form has such a byte. Works on bytes that need not be whole characters.
Match find_byte_digit_run(std::string_view text, size_t from) {
  const auto digit = [&](size_t i) {
    const auto b = static_cast<unsigned char>(text[i]);
    return (b >= '0' && b <= '9') || b == 0xB2 || b == 0xB3 || b == 0xB9 || (b >= 0xBC && b <= 0xBE);
  };
  size_t begin = from;
  while (begin < text.size() && !digit(begin)) begin++;
  size_t end = begin;
  while (end < text.size() && digit(end)) end++;
  return {begin, end};
}

constexpr Range kCjkRanges[] = {{0x800, 0x9FA5}, {0xAC00, 0xD7FF}};
constexpr Range kKanaRanges[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};
constexpr Range kMarkRanges[] = {{0x21, 0x2F},     {0x3A, 0x7E},     {0x2018, 0x201F},
                                 {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
constexpr Range kLetterRanges[] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},
    {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},
    {0x376, 0x376},     {0x377, 0x377},     {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},
    {0x388, 0x38A},     {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},
    {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},
    {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},
    {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},
    {0x1F59, 0x1F59},   {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},
    {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},
    {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},
    {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},
    {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},
    {0x213C, 0x213F},   {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2183},   {0x2184, 0x2184},
    {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},
    {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},
    {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},
    {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2},
    {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};

bool is_cjk(uint32_t c) {
  return in_ranges(kCjkRanges, c);
}
bool is_cjk_or_kana(uint32_t c) {
  return in_ranges(kKanaRanges, c);
}
bool is_deepseek_mark(uint32_t c) {
  return in_ranges(kMarkRanges, c);
}
bool is_deepseek_letter(uint32_t c) {
  return in_ranges(kLetterRanges, c);
}
bool is_default_punctuation(uint32_t c) {
  return has_class<kPunctuation>(c) || (c < 128 && has_class<kSymbol>(c) && c != '`');
}

Match find_final_space(std::string_view text, size_t from) {
  size_t begin = text.size();
  while (begin > from) {
    const size_t before = previous_char(text, begin);
    if (!has_class<kSpace>(char_at(text, before).value)) break;
    begin = before;
  }
  return {begin, text.size()};
}

}  // namespace

const SplitRule kNewlines = {"[\r\n]", find_newline};
const SplitRule kNumber1 = {
    R"(\p{N})", [](std::string_view text, size_t from) { return find_run(text, from, 1, has_class<kNumber>); }};
const SplitRule kNumbers = {
    R"(\p{N}+)", [](std::string_view text, size_t from) { return find_run(text, from, kAll, has_class<kNumber>); }};
const SplitRule kNumber1To3 = {
    R"(\p{N}{1,3})", [](std::string_view text, size_t from) { return find_run(text, from, 3, has_class<kNumber>); }};
const SplitRule kAsciiDigits3 = {"[0-9][0-9][0-9]", find_ascii_digits3};
const SplitRule kDigitEach = {
    "", [](std::string_view text, size_t from) { return find_run(text, from, 1, is_rust_numeric); }};
const SplitRule kDigitRuns = {
    "", [](std::string_view text, size_t from) { return find_run(text, from, kAll, is_rust_numeric); }};
const SplitRule kByteDigitRuns = {"", find_byte_digit_run};
const SplitRule kPunctuationRuns = {
    "", [](std::string_view text, size_t from) { return find_run(text, from, kAll, is_hf_punctuation); }};
const SplitRule kSpaceLetters = {R"(\s?\p{L}+)", [](std::string_view text, size_t from) {
                                   return find_run_after_space(text, from, has_class<kLetter>);
                                 }};
const SplitRule kSpacePunctuation = {R"(\s?\p{P}+)", [](std::string_view text, size_t from) {
                                       return find_run_after_space(text, from, has_class<kPunctuation>);
                                     }};
const SplitRule kCjkAndMore = {"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+",
                               [](std::string_view text, size_t from) { return find_run(text, from, kAll, is_cjk); }};
const SplitRule kCjkAndKana = {"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+", [](std::string_view text, size_t from) {
                                 return find_run(text, from, kAll, is_cjk_or_kana);
                               }};
const SplitRule kDeepseekLetters = {
    "\\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-"
    "\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481"
    "\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B"
    "\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B"
    "\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB"
    "\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128"
    "\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4"
    "\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF"
    "\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8"
    "-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943]+",
    [](std::string_view text, size_t from) { return find_run_after_space(text, from, is_deepseek_letter); }};
const SplitRule kDeepseekMarks = {
    "\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+",
    [](std::string_view text, size_t from) { return find_run_after_space(text, from, is_deepseek_mark); }};
const SplitRule kFinalSpace = {R"(\s+$)", find_final_space};
const SplitRule kDefaultPunctuation = {R"([\p{P}\$\+<=>\^~\|]+)", [](std::string_view text, size_t from) {
                                         return find_run(text, from, kAll, is_default_punctuation);
                                       }};

}  // namespace ingle::core
