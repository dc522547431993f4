// The values of JSON Schema's `format` that are kept, each a regular expression.
#pragma once

#include <span>
#include <string_view>

namespace ingle::grammar {

struct Format {
  std::string_view name;
  /// Matches only what the format allows; of the long-winded formats not all of it.
  std::string_view pattern;
};

std::span<const Format> all_formats();

}  // namespace ingle::grammar
