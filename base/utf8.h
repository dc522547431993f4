// UTF-8 by the Unicode standard's table 3-7: no surrogates, no overlong forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingle::base {

struct CodePoint {
  uint32_t value = 0;
  uint32_t length = 0;  ///< bytes consumed; 0 where the bytes at this place are not valid UTF-8
};

/// The code point that starts `text`. length 0: invalid, or text is empty.
CodePoint decode_utf8(std::string_view text);

/// Appends the UTF-8 form of a scalar value.
void append_utf8(std::string& out, uint32_t code_point);

/// Offset of the first byte that is not valid UTF-8, or text.size().
size_t find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) == text.size();
}

/// Code points of text that is valid UTF-8; of any other, the bytes that could begin one.
size_t count_code_points(std::string_view text);

/// Length of the longest prefix that does not end inside a code point which later bytes could still complete.
size_t complete_utf8_prefix(std::string_view text);

/// What a terminal may obey instead of showing it: C0, DEL, C1, and the marks that change the direction of writing.
bool is_control(uint32_t code_point);

/// `text` with control characters, except those in `kept`, and bytes that are not UTF-8 as \xNN, byte by byte.
std::string escape_controls(std::string_view text, std::string_view kept = {});

}  // namespace ingle::base
