// Small steps that the split rules share: each takes a position in valid UTF-8 and gives the one after what it matched.
#pragma once

#include "core/tokenizer/unicode.h"

namespace ingle::core {

/// A code point with its class; length 0 at the end of the text.
struct ClassedChar {
  uint32_t value = 0;
  uint32_t length = 0;
  uint16_t classes = 0;

  bool is(unsigned mask) const { return (classes & mask) != 0; }
};

inline ClassedChar classed_at(std::string_view text, size_t pos) {
  if (pos >= text.size()) return {};
  const Char c = char_at(text, pos);
  return {c.value, c.length, char_class(c.value)};
}

/// Past the characters of any class in `mask`.
inline size_t skip_classes(std::string_view text, size_t pos, unsigned mask) {
  while (pos < text.size()) {
    const Char c = char_at(text, pos);
    if ((char_class(c.value) & mask) == 0) break;
    pos += c.length;
  }
  return pos;
}

/// Past at most `limit` of them.
inline size_t skip_classes_limited(std::string_view text, size_t pos, unsigned mask, int limit) {
  for (; limit > 0 && pos < text.size(); limit--) {
    const Char c = char_at(text, pos);
    if ((char_class(c.value) & mask) == 0) break;
    pos += c.length;
  }
  return pos;
}

/// Past the characters of no class in `mask`.
inline size_t skip_other(std::string_view text, size_t pos, unsigned mask) {
  while (pos < text.size()) {
    const Char c = char_at(text, pos);
    if ((char_class(c.value) & mask) != 0) break;
    pos += c.length;
  }
  return pos;
}

}  // namespace ingle::core
