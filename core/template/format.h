// Formatting text: the % operator, str.format with its mini-language, and strftime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/template/value.h"

namespace ingle::jinja {

/// `format % args` (printf style; args: a tuple, a mapping, or one value). With Markup on the left, text is escaped.
std::string format_percent(Heap& heap, const Text& format, const Value& args);

/// str.format(*args, **kwargs). Attribute and item access in fields follow the sandbox's rules.
std::string format_braces(Heap& heap, std::string_view format, const Arguments& args);

/// format(value, spec) for str, int, float and bool.
std::string format_value(Heap& heap, const Value& value, std::string_view spec);

/// The digits of |value| with `precision` places: style 'f', 'e' or 'g' as C's printf; 'alternate' is the # flag.
std::string format_digits(double value, char style, int precision, bool alternate);

/// datetime.strftime in the C locale for `seconds` since 1970 (taken as local time, without a zone).
std::string format_time(Heap& heap, std::string_view format, int64_t seconds);

/// json.dumps(value, ...). `separators` is none for the default, else a pair.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool indented = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
std::string dump_json(Heap& heap, const Value& value, const JsonStyle& style);

}  // namespace ingle::jinja
