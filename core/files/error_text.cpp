#include "core/files/error_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace ingle::core {
namespace {

constexpr size_t kMaxQuotedBytes = 100;

}  // namespace

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const base::CodePoint point = base::decode_utf8(text);
    if (point.length == 0 || base::is_control(point.value)) return false;
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
    const size_t length = std::max<size_t>(base::decode_utf8(text).length, 1);
    out += base::escape_controls(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out + "'";
}

}  // namespace ingle::core
