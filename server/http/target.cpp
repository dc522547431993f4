#include "server/http/target.h"

#include <algorithm>

namespace ingle::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Target parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return {};
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark));
  if (!path || path->find("..") != std::string::npos ||
      std::ranges::any_of(*path, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return {};
  return {*path, mark == std::string_view::npos ? std::string() : std::string(target.substr(mark + 1))};
}

}  // namespace ingle::server
