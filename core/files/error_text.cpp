#include "core/files/error_text.h"

#include <cstdint>

#include "base/utf8.h"

namespace ingle::core {
namespace {

constexpr size_t kMaxQuotedBytes = 100;

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// C0, DEL, C1, and the marks that change the direction of writing.
bool is_control(uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const base::CodePoint point = base::decode_utf8(text);
    if (point.length == 0 || is_control(point.value)) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

std::string quote(std::string_view text) {
  std::string out = "'";
  while (!text.empty()) {
    if (out.size() > kMaxQuotedBytes) {
      out += "…";
      break;
    }
    const base::CodePoint point = base::decode_utf8(text);
    const size_t length = point.length == 0 ? 1 : point.length;
    if (point.length == 0 || is_control(point.value)) {
      for (const char c : text.substr(0, length)) append_escaped(out, static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out + "'";
}

}  // namespace ingle::core
