#include "core/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "base/utf8.h"

namespace ingle::core {
namespace {

struct ClassRange {
  uint32_t first, last;
  uint16_t char_class;
};

// Assigned in Unicode 15.1 and 16; looked up only for code points that utf8proc calls unassigned.
constexpr ClassRange kNewInUnicode16[] = {
    {0x897, 0x897, kMark},
    {0x1B4E, 0x1B4F, kPunctuation},
    {0x1B7F, 0x1B7F, kPunctuation},
    {0x1C89, 0x1C89, kUpper},
    {0x1C8A, 0x1C8A, kLower},
    {0x2427, 0x2429, kSymbol},
    {0x2FFC, 0x2FFF, kSymbol},
    {0x31E4, 0x31E5, kSymbol},
    {0x31EF, 0x31EF, kSymbol},
    {0xA7CB, 0xA7CC, kUpper},
    {0xA7CD, 0xA7CD, kLower},
    {0xA7DA, 0xA7DA, kUpper},
    {0xA7DB, 0xA7DB, kLower},
    {0xA7DC, 0xA7DC, kUpper},
    {0x105C0, 0x105F3, kOtherLetter},
    {0x10D40, 0x10D49, kNumber},
    {0x10D4A, 0x10D4D, kOtherLetter},
    {0x10D4E, 0x10D4E, kOtherLetter},
    {0x10D4F, 0x10D4F, kOtherLetter},
    {0x10D50, 0x10D65, kUpper},
    {0x10D69, 0x10D6D, kMark},
    {0x10D6E, 0x10D6E, kPunctuation},
    {0x10D6F, 0x10D6F, kOtherLetter},
    {0x10D70, 0x10D85, kLower},
    {0x10D8E, 0x10D8F, kSymbol},
    {0x10EC2, 0x10EC4, kOtherLetter},
    {0x10EFC, 0x10EFC, kMark},
    {0x11380, 0x11389, kOtherLetter},
    {0x1138B, 0x1138B, kOtherLetter},
    {0x1138E, 0x1138E, kOtherLetter},
    {0x11390, 0x113B5, kOtherLetter},
    {0x113B7, 0x113B7, kOtherLetter},
    {0x113B8, 0x113C0, kMark},
    {0x113C2, 0x113C2, kMark},
    {0x113C5, 0x113C5, kMark},
    {0x113C7, 0x113CA, kMark},
    {0x113CC, 0x113D0, kMark},
    {0x113D1, 0x113D1, kOtherLetter},
    {0x113D2, 0x113D2, kMark},
    {0x113D3, 0x113D3, kOtherLetter},
    {0x113D4, 0x113D5, kPunctuation},
    {0x113D7, 0x113D8, kPunctuation},
    {0x113E1, 0x113E2, kMark},
    {0x116D0, 0x116E3, kNumber},
    {0x11BC0, 0x11BE0, kOtherLetter},
    {0x11BE1, 0x11BE1, kPunctuation},
    {0x11BF0, 0x11BF9, kNumber},
    {0x11F5A, 0x11F5A, kMark},
    {0x13460, 0x143FA, kOtherLetter},
    {0x16100, 0x1611D, kOtherLetter},
    {0x1611E, 0x1612F, kMark},
    {0x16130, 0x16139, kNumber},
    {0x16D40, 0x16D42, kOtherLetter},
    {0x16D43, 0x16D6A, kOtherLetter},
    {0x16D6B, 0x16D6C, kOtherLetter},
    {0x16D6D, 0x16D6F, kPunctuation},
    {0x16D70, 0x16D79, kNumber},
    {0x18CFF, 0x18CFF, kOtherLetter},
    {0x1CC00, 0x1CCEF, kSymbol},
    {0x1CCF0, 0x1CCF9, kNumber},
    {0x1CD00, 0x1CEB3, kSymbol},
    {0x1E5D0, 0x1E5ED, kOtherLetter},
    {0x1E5EE, 0x1E5EF, kMark},
    {0x1E5F0, 0x1E5F0, kOtherLetter},
    {0x1E5F1, 0x1E5FA, kNumber},
    {0x1E5FF, 0x1E5FF, kPunctuation},
    {0x1F8B2, 0x1F8BB, kSymbol},
    {0x1F8C0, 0x1F8C1, kSymbol},
    {0x1FA89, 0x1FA89, kSymbol},
    {0x1FA8F, 0x1FA8F, kSymbol},
    {0x1FABE, 0x1FABE, kSymbol},
    {0x1FAC6, 0x1FAC6, kSymbol},
    {0x1FADC, 0x1FADC, kSymbol},
    {0x1FADF, 0x1FADF, kSymbol},
    {0x1FAE9, 0x1FAE9, kSymbol},
    {0x1FBCB, 0x1FBEF, kSymbol},
    {0x2EBF0, 0x2EE5D, kOtherLetter},
};

struct Range {
  uint32_t first, last;
};

// Category P of Unicode 16 that Unicode 8 did not have; sorted.
constexpr Range kPunctuationSinceUnicode8[] = {
    {0x61D, 0x61D},     {0x9FD, 0x9FD},     {0xA76, 0xA76},     {0xC77, 0xC77},     {0xC84, 0xC84},
    {0x1B7D, 0x1B7E},   {0x2E43, 0x2E4F},   {0x2E52, 0x2E5D},   {0x10EAD, 0x10EAD}, {0x10F55, 0x10F59},
    {0x10F86, 0x10F89}, {0x1144B, 0x1144F}, {0x1145A, 0x1145B}, {0x1145D, 0x1145D}, {0x11660, 0x1166C},
    {0x116B9, 0x116B9}, {0x1183B, 0x1183B}, {0x11944, 0x11946}, {0x119E2, 0x119E2}, {0x11A3F, 0x11A46},
    {0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2}, {0x11B00, 0x11B09}, {0x11C41, 0x11C45}, {0x11C70, 0x11C71},
    {0x11EF7, 0x11EF8}, {0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF}, {0x12FF1, 0x12FF2}, {0x16E97, 0x16E9A},
    {0x16FE2, 0x16FE2}, {0x1E95E, 0x1E95F},
};

// Category Mn of Unicode 15 that Unicode 8 did not have; sorted.
constexpr Range kNonspacingSinceUnicode8[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8E1},     {0x9FE, 0x9FE},     {0xAFA, 0xAFF},
    {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},     {0xD00, 0xD00},     {0xD3B, 0xD3C},
    {0xD81, 0xD81},     {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x180F, 0x180F},   {0x1885, 0x1886},
    {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFB},   {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},
    {0xA9BD, 0xA9BD},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50},
    {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x11073, 0x11074}, {0x110C2, 0x110C2}, {0x111C9, 0x111C9},
    {0x111CF, 0x111CF}, {0x1123E, 0x1123E}, {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x11438, 0x1143F},
    {0x11442, 0x11444}, {0x11446, 0x11446}, {0x1145E, 0x1145E}, {0x1182F, 0x11837}, {0x11839, 0x1183A},
    {0x1193B, 0x1193C}, {0x1193E, 0x1193E}, {0x11943, 0x11943}, {0x119D4, 0x119D7}, {0x119DA, 0x119DB},
    {0x119E0, 0x119E0}, {0x11A01, 0x11A0A}, {0x11A33, 0x11A38}, {0x11A3B, 0x11A3E}, {0x11A47, 0x11A47},
    {0x11A51, 0x11A56}, {0x11A59, 0x11A5B}, {0x11A8A, 0x11A96}, {0x11A98, 0x11A99}, {0x11C30, 0x11C36},
    {0x11C38, 0x11C3D}, {0x11C3F, 0x11C3F}, {0x11C92, 0x11CA7}, {0x11CAA, 0x11CB0}, {0x11CB2, 0x11CB3},
    {0x11CB5, 0x11CB6}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A}, {0x11D3C, 0x11D3D}, {0x11D3F, 0x11D45},
    {0x11D47, 0x11D47}, {0x11D90, 0x11D91}, {0x11D95, 0x11D95}, {0x11D97, 0x11D97}, {0x11EF3, 0x11EF4},
    {0x11F00, 0x11F01}, {0x11F36, 0x11F3A}, {0x11F40, 0x11F40}, {0x11F42, 0x11F42}, {0x13440, 0x13440},
    {0x13447, 0x13455}, {0x16F4F, 0x16F4F}, {0x16FE4, 0x16FE4}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46},
    {0x1E000, 0x1E006}, {0x1E008, 0x1E018}, {0x1E01B, 0x1E021}, {0x1E023, 0x1E024}, {0x1E026, 0x1E02A},
    {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
    {0x1E944, 0x1E94A},
};

// What Hugging Face's older normaliser knows neither as combining nor as composed; sorted.
constexpr Range kInertUnderHfNfc[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},     {0xC3C, 0xC3C},
    {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},
    {0xA82C, 0xA82C},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50},
    {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x11938, 0x11938}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
};

// Simple lower-case mappings newer than Unicode 15: `delta` to add.
struct CaseRange {
  uint32_t first, last;
  int32_t delta;
};
constexpr CaseRange kNewLowercase[] = {
    {0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
    {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
    {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
    {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
    {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B},
};

template <typename R>
const R* find_range(std::span<const R> ranges, uint32_t code_point) {
  const auto it = std::upper_bound(ranges.begin(), ranges.end(), code_point,
                                   [](uint32_t value, const R& range) { return value < range.first; });
  if (it == ranges.begin()) return nullptr;
  const R& range = *std::prev(it);
  return code_point <= range.last ? &range : nullptr;
}

utf8proc_category_t category(uint32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

uint16_t class_of_category(utf8proc_category_t value) {
  switch (value) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
      return kUpper;
    case UTF8PROC_CATEGORY_LL:
      return kLower;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return kOtherLetter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return kMark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return kNumber;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return kPunctuation;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return kSymbol;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return kSpace;
    default:
      return 0;
  }
}

uint8_t combining_class(char32_t code_point) {
  if (code_point < 0x300) return 0;
  return static_cast<uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class);
}

/// Puts decomposed characters in canonical order, composes them, and appends them.
void append_composed(std::string& out, std::u32string& chars) {
  reorder_marks(chars);
  static_assert(sizeof(char32_t) == sizeof(utf8proc_int32_t));
  std::basic_string<utf8proc_int32_t> buffer(chars.begin(), chars.end());
  const auto length = utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()),
                                               static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  for (utf8proc_ssize_t i = 0; i < length; i++) {
    base::append_utf8(out, static_cast<uint32_t>(buffer[static_cast<size_t>(i)]));
  }
}

/// NFC of one run, appended; the run starts with a character that composes with nothing before it.
void append_nfc_run(std::string& out, std::string_view run) {
  std::u32string chars;
  for (size_t pos = 0; pos < run.size();) {
    const Char c = char_at(run, pos);
    pos += c.length;
    if (find_range<Range>(kInertUnderHfNfc, c.value) == nullptr) {
      append_decomposition(chars, c.value);
      continue;
    }
    append_composed(out, chars);
    chars.clear();
    base::append_utf8(out, c.value);
  }
  append_composed(out, chars);
}

// No character below U+0300 changes under NFC or composes with the character before it.
constexpr uint32_t kFirstComposing = 0x300;

}  // namespace

uint16_t detail::classify_non_ascii(uint32_t code_point) {
  const utf8proc_category_t value = category(code_point);
  if (value == UTF8PROC_CATEGORY_CN) {
    const ClassRange* range = find_range<ClassRange>(kNewInUnicode16, code_point);
    return range == nullptr ? uint16_t{0} : range->char_class;
  }
  if (code_point == 0x85) return kSpace;
  return class_of_category(value);
}

bool is_rust_numeric(uint32_t code_point) {
  return (char_class(code_point) & kNumber) != 0 || (code_point >= 0x11DE0 && code_point <= 0x11DE9) ||
         (code_point >= 0x16FF4 && code_point <= 0x16FF6);
}

bool is_hf_punctuation(uint32_t code_point) {
  if (code_point < 128) return (char_class(code_point) & (kPunctuation | kSymbol)) != 0;
  if (code_point == 0x166D || code_point == 0x111C9) return true;  // were P in Unicode 8
  return class_of_category(category(code_point)) == kPunctuation &&
         find_range<Range>(kPunctuationSinceUnicode8, code_point) == nullptr;
}

bool may_need_nfc(std::string_view text) {
  // U+0300 is CC 80: every character from there on starts with a byte of at least 0xCC.
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

std::string to_nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t copied = 0;  // everything before is in `out`
  for (size_t pos = 0; pos < text.size();) {
    const Char c = char_at(text, pos);
    if (c.value < kFirstComposing) {
      pos += c.length;
      continue;
    }
    const size_t begin = pos > copied ? previous_char(text, pos) : pos;
    size_t end = pos + c.length;
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0xCC) end += char_at(text, end).length;
    out.append(text, copied, begin - copied);
    append_nfc_run(out, text.substr(begin, end - begin));
    copied = pos = end;
  }
  out.append(text, copied);
  return out;
}

void append_decomposition(std::u32string& out, uint32_t code_point) {
  utf8proc_int32_t buffer[8];
  int boundclass = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), buffer, 8,
                              static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), &boundclass);
  if (count < 1 || count > 8) {
    out.push_back(static_cast<char32_t>(code_point));
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; i++) out.push_back(static_cast<char32_t>(buffer[i]));
}

void reorder_marks(std::u32string& text) {
  for (size_t i = 0; i < text.size();) {
    if (combining_class(text[i]) == 0) {
      i++;
      continue;
    }
    size_t end = i + 1;
    while (end < text.size() && combining_class(text[end]) != 0) end++;
    // Stable by class: class, place and code point in one number.
    std::vector<uint64_t> keys;
    for (size_t k = i; k < end; k++) {
      keys.push_back(static_cast<uint64_t>(combining_class(text[k])) << 56 | static_cast<uint64_t>(k - i) << 21 |
                     text[k]);
    }
    std::sort(keys.begin(), keys.end());
    for (size_t k = i; k < end; k++) text[k] = static_cast<char32_t>(keys[k - i] & 0x1FFFFF);
    i = end;
  }
}

bool is_nonspacing_mark(uint32_t code_point) {
  if (code_point == 0x1734) return true;  // was Mn in Unicode 8
  return category(code_point) == UTF8PROC_CATEGORY_MN &&
         find_range<Range>(kNonspacingSinceUnicode8, code_point) == nullptr;
}

bool is_control(uint32_t code_point) {
  const bool newer = code_point == 0x890 || code_point == 0x891 || code_point == 0x8E2 || code_point == 0x110CD ||
                     (code_point >= 0x13430 && code_point <= 0x1343F);
  if (newer) return false;
  switch (category(code_point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return false;
  }
}

void append_lowercase(std::string& out, uint32_t code_point) {
  if (code_point == 0x130) {
    out += "i\xCC\x87";
    return;
  }
  if (const CaseRange* range = find_range<CaseRange>(kNewLowercase, code_point)) {
    base::append_utf8(out, code_point + static_cast<uint32_t>(range->delta));
    return;
  }
  base::append_utf8(out, static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))));
}

}  // namespace ingle::core
