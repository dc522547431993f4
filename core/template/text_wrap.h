// Python's textwrap.wrap(expand_tabs=False, replace_whitespace=False), for |wordwrap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingle::jinja {

struct WrapStyle {
  int64_t width = 79;
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

std::vector<std::string> wrap_text(std::string_view text, const WrapStyle& style);

}  // namespace ingle::jinja
