// Python's view of text: code points, its character classes, its case mappings, its repr. Input is valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::jinja {

size_t count_chars(std::string_view text);
/// Byte offset of code point `index`, or text.size() past the end.
size_t byte_offset(std::string_view text, size_t index);
std::vector<uint32_t> code_points(std::string_view text);

bool is_space(uint32_t c);
bool is_line_break(uint32_t c);  ///< where str.splitlines splits
bool is_alpha(uint32_t c);
bool is_decimal(uint32_t c);
bool is_digit(uint32_t c);
bool is_numeric(uint32_t c);
bool is_lower(uint32_t c);
bool is_upper(uint32_t c);
bool is_title(uint32_t c);
bool is_printable(uint32_t c);
bool is_identifier_start(uint32_t c);
bool is_identifier_part(uint32_t c);
inline bool is_alnum(uint32_t c) {
  return is_alpha(c) || is_decimal(c) || is_digit(c) || is_numeric(c);
}
inline bool is_cased(uint32_t c) {
  return is_lower(c) || is_upper(c) || is_title(c);
}
/// 0..9, or -1.
int decimal_value(uint32_t c);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);  ///< str.title
std::string capitalize(std::string_view text);
std::string swap_case(std::string_view text);
std::string fold_case(std::string_view text);

std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
inline std::string_view strip(std::string_view text) {
  return strip_left(strip_right(text));
}
/// Strips code points that occur in `set`.
std::string_view strip_set(std::string_view text, std::string_view set, bool left, bool right);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

/// repr() of a str: quotes, escapes, unprintable characters as \x, \u, \U.
void append_repr(std::string& out, std::string_view text);
/// Escapes every non-ASCII character of a repr, as ascii() does.
std::string escape_non_ascii(std::string_view text);
/// "\xe9", "\u20ac" or "\U0001f600".
void append_hex_escape(std::string& out, uint32_t c);

}  // namespace ingle::jinja
