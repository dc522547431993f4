// GPT-2's alphabet: every byte as a printable character. Bytes that are printable Latin-1 stand for themselves, the
// others for U+0100 and up, in order. Source: Hugging Face's ByteLevel, OpenAI's gpt-2 encoder.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingle::core {

namespace detail {
struct ByteAlphabet {
  std::array<uint16_t, 256> char_of{};   ///< by byte
  std::array<int16_t, 0x144> byte_of{};  ///< by character, -1 where it stands for none
};

constexpr ByteAlphabet make_byte_alphabet() {
  ByteAlphabet out;
  for (auto& byte : out.byte_of) byte = -1;
  uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; byte++) {
    const bool printable =
        (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
    const uint16_t code = printable ? static_cast<uint16_t>(byte) : next++;
    out.char_of[byte] = code;
    out.byte_of[code] = static_cast<int16_t>(byte);
  }
  return out;
}
inline constexpr ByteAlphabet kByteAlphabet = make_byte_alphabet();
}  // namespace detail

/// Appends the character of a byte.
inline void append_byte_char(std::string& out, unsigned char byte) {
  const uint16_t code = detail::kByteAlphabet.char_of[byte];
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// Appends the bytes that a spelling in the alphabet stands for; false, and nothing, where it is not in the alphabet.
inline bool append_alphabet_bytes(std::string& out, std::string_view spelling) {
  const size_t size = out.size();
  for (size_t pos = 0; pos < spelling.size();) {
    const auto lead = static_cast<unsigned char>(spelling[pos]);
    uint32_t code = lead;
    if (lead >= 0xC2 && lead <= 0xC5 && pos + 1 < spelling.size()) {
      code = (lead & 0x1Fu) << 6 | (static_cast<unsigned char>(spelling[++pos]) & 0x3Fu);
    } else if (lead >= 0x80) {
      code = UINT32_MAX;
    }
    if (code >= detail::kByteAlphabet.byte_of.size() || detail::kByteAlphabet.byte_of[code] < 0) {
      out.resize(size);
      return false;
    }
    out += static_cast<char>(detail::kByteAlphabet.byte_of[code]);
    pos++;
  }
  return true;
}

}  // namespace ingle::core
