// Character classes and case mappings by utf8proc, corrected by unicode_tables.h to what Python's str does.
#include "core/template/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <span>

#include "base/utf8.h"
#include "core/template/unicode_tables.h"

namespace ingle::jinja {
namespace {

bool in_ranges(std::span<const CharRange> ranges, uint32_t c) {
  const auto at = std::upper_bound(ranges.begin(), ranges.end(), c,
                                   [](uint32_t value, const CharRange& range) { return value < range.first; });
  return at != ranges.begin() && c <= std::prev(at)->last;
}

const char* mapping(std::span<const CaseRow> rows, uint32_t c) {
  const auto at = std::lower_bound(rows.begin(), rows.end(), c,
                                   [](const CaseRow& row, uint32_t value) { return row.from < value; });
  return at != rows.end() && at->from == c ? at->to : nullptr;
}

utf8proc_category_t category(uint32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

using Simple = utf8proc_int32_t (*)(utf8proc_int32_t);

void append_mapped(std::string& out, uint32_t c, std::span<const CaseRow> rows, Simple simple) {
  if (const char* full = mapping(rows, c)) {
    out += full;
  } else {
    base::append_utf8(out, static_cast<uint32_t>(simple(static_cast<utf8proc_int32_t>(c))));
  }
}

void append_upper(std::string& out, uint32_t c) {
  if (c < 128) {
    out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  } else {
    append_mapped(out, c, kUpper, utf8proc_toupper);
  }
}

void append_title(std::string& out, uint32_t c) {
  append_mapped(out, c, kTitle, utf8proc_totitle);
}

// Case_Ignorable, as far as the final sigma rule needs it.
bool is_case_ignorable(uint32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return c == '\'' || c == '.' || c == ':' || c == 0xb7 || c == 0x2018 || c == 0x2019 || c == 0x2024 || c == 0x2027;
  }
}

// A capital sigma ends a word where a cased letter precedes it and none follows (SpecialCasing.txt, Final_Sigma).
bool is_final_sigma(const std::vector<uint32_t>& text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(std::string& out, const std::vector<uint32_t>& text, size_t at) {
  const uint32_t c = text[at];
  if (c < 128) {
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  } else if (c == 0x3a3) {
    base::append_utf8(out, is_final_sigma(text, at) ? 0x3c2 : 0x3c3);
  } else {
    append_mapped(out, c, kLower, utf8proc_tolower);
  }
}

}  // namespace

size_t count_chars(std::string_view text) {
  return base::count_code_points(text);
}

size_t byte_offset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) continue;
    if (index-- == 0) return at;
  }
  return at;
}

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = base::decode_utf8(text);
    out.push_back(c.value);
    text.remove_prefix(std::max<uint32_t>(c.length, 1));
  }
  return out;
}

bool is_space(uint32_t c) {
  if (c < 128) return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}
bool is_line_break(uint32_t c) {
  return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
}
bool is_alpha(uint32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}
bool is_decimal(uint32_t c) {
  return category(c) == UTF8PROC_CATEGORY_ND;
}
bool is_digit(uint32_t c) {
  return is_decimal(c) || in_ranges(kDigits, c);
}
bool is_numeric(uint32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO || in_ranges(kNumerics, c);
}
bool is_lower(uint32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL || in_ranges(kOtherLower, c);
}
bool is_upper(uint32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LU || in_ranges(kOtherUpper, c);
}
bool is_title(uint32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LT;
}

bool is_printable(uint32_t c) {
  if (c < 128) return c >= 32 && c < 127;
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

bool is_identifier_start(uint32_t c) {
  if (c < 128) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_alpha(c) || category(c) == UTF8PROC_CATEGORY_NL;
}
bool is_identifier_part(uint32_t c) {
  if (is_identifier_start(c) || (c >= '0' && c <= '9')) return true;
  if (c < 128) return false;
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC ||
         k == UTF8PROC_CATEGORY_PC || c == 0xb7;
}

// Decimal digits come in runs of ten that start where the category Nd starts or at a multiple within a run.
int decimal_value(uint32_t c) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if (c < 128 || !is_decimal(c)) return -1;
  uint32_t first = c;
  while (is_decimal(first - 1)) --first;
  return static_cast<int>((c - first) % 10);
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const uint32_t c : code_points(text)) append_upper(out, c);
  return out;
}
std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto points = code_points(text);
  for (size_t i = 0; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}
std::string to_title(std::string_view text) {
  std::string out;
  bool inside = false;
  const auto points = code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (inside) {
      append_lower(out, points, i);
    } else {
      append_title(out, points[i]);
    }
    inside = is_cased(points[i]);
  }
  return out;
}
std::string capitalize(std::string_view text) {
  std::string out;
  const auto points = code_points(text);
  if (!points.empty()) append_title(out, points[0]);
  for (size_t i = 1; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}
std::string swap_case(std::string_view text) {
  std::string out;
  const auto points = code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (is_upper(points[i])) {
      append_lower(out, points, i);
    } else if (is_lower(points[i])) {
      append_upper(out, points[i]);
    } else {
      base::append_utf8(out, points[i]);
    }
  }
  return out;
}
std::string fold_case(std::string_view text) {
  std::string out;
  const auto points = code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (const char* full = mapping(kFold, points[i])) {
      out += full;
    } else if (points[i] == 0x3a3) {
      base::append_utf8(out, 0x3c3);
    } else {
      append_lower(out, points, i);
    }
  }
  return out;
}

std::string_view strip_left(std::string_view text) {
  while (!text.empty()) {
    const auto c = base::decode_utf8(text);
    if (c.length == 0 || !is_space(c.value)) break;
    text.remove_prefix(c.length);
  }
  return text;
}

namespace {

// Start of the last code point.
size_t last_start(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

}  // namespace

std::string_view strip_right(std::string_view text) {
  while (!text.empty()) {
    const size_t at = last_start(text);
    if (!is_space(base::decode_utf8(text.substr(at)).value)) break;
    text = text.substr(0, at);
  }
  return text;
}

std::string_view strip_set(std::string_view text, std::string_view set, bool left, bool right) {
  const auto points = code_points(set);
  const auto listed = [&](std::string_view at) {
    return std::find(points.begin(), points.end(), base::decode_utf8(at).value) != points.end();
  };
  while (left && !text.empty() && listed(text)) text.remove_prefix(std::max(1u, base::decode_utf8(text).length));
  while (right && !text.empty()) {
    const size_t at = last_start(text);
    if (!listed(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0, at = 0;
  while (at < text.size()) {
    const auto c = base::decode_utf8(text.substr(at));
    size_t end = at + std::max(1u, c.length);
    if (!is_line_break(c.value)) {
      at = end;
      continue;
    }
    if (c.value == '\r' && end < text.size() && text[end] == '\n') ++end;
    lines.push_back(text.substr(start, (keep_ends ? end : at) - start));
    start = at = end;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

void append_hex_escape(std::string& out, uint32_t c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 15];
}

void append_repr(std::string& out, std::string_view text) {
  const bool double_quoted = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char quote = double_quoted ? '"' : '\'';
  out += quote;
  for (const uint32_t c : code_points(text)) {
    if (c == static_cast<uint32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      base::append_utf8(out, c);
    } else {
      append_hex_escape(out, c);
    }
  }
  out += quote;
}

std::string escape_non_ascii(std::string_view text) {
  std::string out;
  for (const uint32_t c : code_points(text)) {
    if (c < 128) {
      out += static_cast<char>(c);
    } else {
      append_hex_escape(out, c);
    }
  }
  return out;
}

}  // namespace ingle::jinja
