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

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "'";
  while (!text.empty()) {
    if (out.size() > kMaxQuotedBytes) {
      out += "…";
      break;
    }
    const base::CodePoint point = base::decode_utf8(text);
    // C0, DEL and C1 controls could drive a terminal.
    const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
    const size_t length = point.length == 0 ? 1 : point.length;
    if (point.length == 0 || control) {
      for (const char c : text.substr(0, length)) append_escaped(out, static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out + "'";
}

}  // namespace ingle::core
