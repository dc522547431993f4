// Code points as the tokenizers' regular expressions see them: \p{L} \p{N} \p{M} \p{P} \p{S} \s, and normal forms.
//
// Pinned to Unicode 16, the version of the regex engine inside Hugging Face's `tokenizers`: utf8proc supplies the data
// and a short overlay supplies what its packaged version (15.0 on Debian 12) does not know yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingle::core {

/// Bits of a code point's class; a code point has at most one of the category bits.
enum CharClass : uint16_t {
  kUpper = 1,         // Lu, Lt
  kLower = 2,         // Ll
  kOtherLetter = 4,   // Lm, Lo
  kNumber = 8,        // N
  kMark = 16,         // M
  kPunctuation = 32,  // P
  kSymbol = 64,       // S
  kSpace = 128,       // \s: the White_Space property
  kNewline = 256,     // \r and \n (which are also kSpace)
  kLetter = kUpper | kLower | kOtherLetter,
};

namespace detail {
constexpr std::array<uint16_t, 128> make_ascii_classes() {
  std::array<uint16_t, 128> out{};
  for (unsigned c = 0; c < 128; c++) {
    if (c >= '0' && c <= '9') out[c] = kNumber;
    if (c >= 'A' && c <= 'Z') out[c] = kUpper;
    if (c >= 'a' && c <= 'z') out[c] = kLower;
    if (c == ' ' || (c >= 9 && c <= 13)) out[c] = kSpace;
  }
  out['\r'] |= kNewline;
  out['\n'] |= kNewline;
  for (const char c : std::string_view("!\"#%&'()*,-./:;?@[\\]_{}")) out[static_cast<unsigned char>(c)] = kPunctuation;
  for (const char c : std::string_view("$+<=>^`|~")) out[static_cast<unsigned char>(c)] = kSymbol;
  return out;
}
inline constexpr std::array<uint16_t, 128> kAsciiClasses = make_ascii_classes();
uint16_t classify_non_ascii(uint32_t code_point);
}  // namespace detail

inline uint16_t char_class(uint32_t code_point) {
  return code_point < 128 ? detail::kAsciiClasses[code_point] : detail::classify_non_ascii(code_point);
}

struct Char {
  uint32_t value = 0;
  uint32_t length = 0;  ///< bytes
};

/// The code point at `pos` < text.size(); the text must be valid UTF-8.
inline Char char_at(std::string_view text, size_t pos) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[pos + i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
  if (lead < 0xF0) return {(lead & 0xFu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3};
  return {(lead & 0x7u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu), 4};
}

/// Start of the code point that ends at `pos` > 0.
inline size_t previous_char(std::string_view text, size_t pos) {
  do pos--;
  while (pos > 0 && (static_cast<unsigned char>(text[pos]) & 0xC0u) == 0x80u);
  return pos;
}

/// What Hugging Face's Digits pre-tokenizer splits at: Rust's char::is_numeric, of a later Unicode than \p{N}.
bool is_rust_numeric(uint32_t code_point);

/// What Hugging Face's Punctuation and Bert pre-tokenizers split at: ASCII punctuation, and category P of Unicode 8.
bool is_hf_punctuation(uint32_t code_point);

/// Whether `text` (valid UTF-8) may change under NFC; false is certain.
bool may_need_nfc(std::string_view text);

/// The canonical composition of valid UTF-8, in linear time but for sorting runs of combining marks.
std::string to_nfc(std::string_view text);

/// The canonical decomposition of one code point, appended; for BERT's accent stripping.
void append_decomposition(std::u32string& out, uint32_t code_point);

/// Sorts runs of combining marks into canonical order.
void reorder_marks(std::u32string& text);

bool is_nonspacing_mark(uint32_t code_point);  ///< category Mn of Unicode 8, as Hugging Face's BERT has it
bool is_control(uint32_t code_point);          ///< category Cc, Cf, Co or Cs of Unicode 8, the same
/// Rust's char::to_lowercase: the full mapping, which differs from the simple one only for U+0130.
void append_lowercase(std::string& out, uint32_t code_point);

}  // namespace ingle::core
