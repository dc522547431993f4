// Filters that make text of values, and text of text.
#include <algorithm>
#include <cmath>

#include "core/template/arguments.h"
#include "core/template/filters.h"
#include "core/template/format.h"
#include "core/template/interpreter.h"
#include "core/template/methods.h"
#include "core/template/operations.h"
#include "core/template/text_wrap.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

// soft_str: text stays as it is (Markup too), anything else is printed.
Value soft_text(Heap& heap, const Value& value) {
  return value.is_string() ? value : make_text(heap, to_text(heap, value));
}

// A str method as a filter on soft_str(value).
Value by_method(Interpreter& in, const Value& value, std::string_view name, const Arguments& args) {
  const Value text = soft_text(in.heap(), value);
  return find_method(text, name)(in.heap(), text, args);
}

Value filter_upper(Interpreter& in, const Value& value, const Arguments& args) {
  return by_method(in, value, "upper", args);
}
Value filter_lower(Interpreter& in, const Value& value, const Arguments& args) {
  return by_method(in, value, "lower", args);
}
Value filter_capitalize(Interpreter& in, const Value& value, const Arguments& args) {
  return by_method(in, value, "capitalize", args);
}
Value filter_trim(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("trim", args, {"chars"}, 0);
  Arguments inner;
  if (bound.has(0)) inner.positional.push_back(bound[0]);
  return by_method(in, value, "strip", inner);
}
Value filter_center(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("center", args, {"width"}, 0);
  Arguments inner;
  inner.positional.push_back(bound.value_or(0, Value::integer(80)));
  return by_method(in, value, "center", inner);
}
Value filter_string(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("string", args, {}, 0);
  return soft_text(in.heap(), value);
}

// Words begin after whitespace, "-", "(", "{", "[" and "<"; unlike str.title, not after apostrophes and digits.
Value filter_title(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("title", args, {}, 0);
  Heap& heap = in.heap();
  const Value text = soft_text(heap, value);
  const std::string_view source = text.get<Text>().text;
  check_growth(heap, source.size() * 5);
  const auto separates = [](uint32_t c) {
    return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  std::string out;
  size_t at = 0;
  while (at < source.size()) {
    size_t end = at;
    bool separator = false;
    size_t first = 0;
    while (end < source.size()) {
      const size_t size = byte_offset(source.substr(end), 1);
      const bool is_separator = separates(code_points(source.substr(end, size))[0]);
      if (end == at) separator = is_separator, first = size;
      if (is_separator != separator) break;
      end += size;
    }
    out += to_upper(source.substr(at, first)) + to_lower(source.substr(at + first, end - at - first));
    at = end;
  }
  return make_text(heap, std::move(out));
}

Value filter_replace(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("replace", args, {"old", "new", "count"}, 2);
  Heap& heap = in.heap();
  const std::string text = to_text(heap, value), old = to_text(heap, bound[0]), fresh = to_text(heap, bound[1]);
  const int64_t limit = bound.given(2) ? expect_index(bound[2], "count") : -1;
  return make_text(heap, replace_text(heap, text, old, fresh, limit));
}

Value filter_indent(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("indent", args, {"width", "first", "blank"}, 0);
  Heap& heap = in.heap();
  std::string indent(4, ' ');
  if (bound.has(0) && bound[0].is_string()) {
    indent = bound[0].get<Text>().text;
  } else if (bound.has(0)) {
    const int64_t width = std::max<int64_t>(expect_index(bound[0], "the width"), 0);
    if (width > (int64_t{1} << 30)) fail_limit("an indentation is too wide");
    check_growth(heap, static_cast<size_t>(width));
    indent.assign(static_cast<size_t>(width), ' ');
  }
  if (value.is_undefined()) fail_undefined(value);
  const bool blank = bound.flag(2);
  const std::string text = expect_text(value, "indent: the value") + "\n";
  const auto lines = split_lines(text, false);
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    grow(heap, out, lines[i].size() + indent.size() + 1);
    if (i > 0) out += '\n';
    if (i > 0 && (blank || !lines[i].empty())) out += indent;
    out += lines[i];
  }
  if (bound.flag(1)) out.insert(0, indent);
  return make_text(heap, std::move(out), value.get<Text>().markup);
}

Value filter_truncate(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("truncate", args, {"length", "killwords", "end", "leeway"}, 0);
  Heap& heap = in.heap();
  const std::string end = bound.has(2) ? expect_text(bound[2], "end") : "...";
  const auto end_size = static_cast<int64_t>(count_chars(end));
  const int64_t size = bound.int_or(0, 255), leeway = bound.given(3) ? expect_index(bound[3], "leeway") : 5;
  if (size < end_size) fail("expected length >= " + std::to_string(end_size) + ", got " + std::to_string(size));
  if (leeway < 0) fail("expected leeway >= 0, got " + std::to_string(leeway));
  if (static_cast<double>(length(value)) <= static_cast<double>(size) + static_cast<double>(leeway)) return value;
  const Value cut = slice(heap, value, Value::none(), Value::integer(size - end_size), Value::none());
  std::string text = expect_text(cut, "truncate: the value");
  if (!bound.flag(1)) text = text.substr(0, std::min(text.rfind(' '), text.size()));
  return make_text(heap, text + end);
}

// Runs of \w: letters, digits, underscores.
Value filter_wordcount(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("wordcount", args, {}, 0);
  const std::string text = to_text(in.heap(), value);
  check_growth(in.heap(), text.size() * 4);
  int64_t words = 0;
  bool inside = false;
  for (const uint32_t c : code_points(text)) {
    const bool word = c == '_' || is_alnum(c);
    words += word && !inside ? 1 : 0;
    inside = word;
  }
  return Value::integer(words);
}

Value filter_wordwrap(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("wordwrap", args, {"width", "break_long_words", "wrapstring", "break_on_hyphens"}, 0);
  Heap& heap = in.heap();
  const std::string& text = expect_text(value, "wordwrap: the value");
  const std::string joint = bound.given(2) ? expect_text(bound[2], "wrapstring") : "\n";
  const WrapStyle style{bound.int_or(0, 79), bound.flag(1, true), bound.flag(3, true)};
  check_growth(heap, text.size() * 8);
  std::string out;
  bool first_line = true;
  for (const auto line : split_lines(text, false)) {
    if (!first_line) out += joint;
    first_line = false;
    bool first = true;
    for (const std::string& part : wrap_text(line, style)) {
      grow(heap, out, part.size() + joint.size());
      if (!first) out += joint;
      first = false;
      out += part;
    }
  }
  return make_text(heap, std::move(out));
}

Value filter_format(Interpreter& in, const Value& value, const Arguments& args) {
  Heap& heap = in.heap();
  if (!args.positional.empty() && !args.named.empty())
    fail("can't handle positional and keyword arguments at the same time");
  const Value text = soft_text(heap, value);
  Value values = make_tuple(heap, args.positional);
  if (!args.named.empty()) {
    values = make_dict(heap);
    for (const Keyword& keyword : args.named) values.get<Dict>().set(make_text(heap, keyword.name), keyword.value);
  }
  return make_text(heap, format_percent(heap, text.get<Text>(), values), text.get<Text>().markup);
}

// --- HTML
// ----------------------------------------------------------------------------------------------------------------
Value filter_safe(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("safe", args, {}, 0);
  return make_text(in.heap(), to_text(in.heap(), value), true);
}
Value filter_escape(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("escape", args, {}, 0);
  if (value.is_string() && value.get<Text>().markup) return value;
  const std::string text = to_text(in.heap(), value);
  check_growth(in.heap(), text.size() * 5);
  return make_text(in.heap(), escape_html(text), true);
}
Value filter_forceescape(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("forceescape", args, {}, 0);
  const std::string text = to_text(in.heap(), value);
  check_growth(in.heap(), text.size() * 5);
  return make_text(in.heap(), escape_html(text), true);
}

Value filter_xmlattr(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("xmlattr", args, {"autospace"}, 0);
  Heap& heap = in.heap();
  if (!value.is(Type::dict)) fail("xmlattr needs a mapping");
  std::string out;
  for (const auto& entry : value.get<Dict>().entries) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    const std::string& key = expect_text(entry.key, "an attribute name");
    if (key.find_first_of(" \t\n\r\f\v/>=") != key.npos)
      fail("Invalid character in attribute name: " + repr(heap, entry.key));
    const std::string text = to_text(heap, entry.value);
    const bool safe = entry.value.is_string() && entry.value.get<Text>().markup;
    grow(heap, out, (key.size() + text.size()) * 5 + 4);
    if (!out.empty()) out += ' ';
    out += escape_html(key) + "=\"" + (safe ? text : escape_html(text)) + "\"";
  }
  if (bound.flag(0, true) && !out.empty()) out.insert(0, " ");
  return make_text(heap, std::move(out));
}

// Percent-encodes all but letters, digits, "_.-~" (and "/" outside of query strings, which write spaces as "+").
std::string quote_url(std::string_view text, bool query) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '.' || c == '-' || c == '~' || (c == '/' && !query);
    if (plain)
      out += c;
    else if (c == ' ' && query)
      out += '+';
    else
      out += {'%', kHex[static_cast<unsigned char>(c) >> 4], kHex[static_cast<unsigned char>(c) & 15]};
  }
  return out;
}

Value filter_urlencode(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("urlencode", args, {}, 0);
  Heap& heap = in.heap();
  if (value.is_string() || !iterable(value)) {
    const std::string text = to_text(heap, value);
    check_growth(heap, text.size() * 3);
    return make_text(heap, quote_url(text, false));
  }
  std::string out;
  const auto add = [&](const Value& key, const Value& item) {
    const std::string k = to_text(heap, key), v = to_text(heap, item);
    grow(heap, out, (k.size() + v.size()) * 3 + 2);
    if (!out.empty()) out += '&';
    out += quote_url(k, true) + "=" + quote_url(v, true);
  };
  if (value.is(Type::dict)) {
    for (const auto& entry : value.get<Dict>().entries) add(entry.key, entry.value);
    return make_text(heap, std::move(out));
  }
  Value item;
  for (const Next next = iterate(heap, value); next(item);) {
    const Values pair = to_values(heap, item);
    if (pair.size() != 2) fail("urlencode needs pairs");
    add(pair[0], pair[1]);
  }
  return make_text(heap, std::move(out));
}

// Without comments and tags, whitespace runs as one space, and the basic entities resolved.
Value filter_striptags(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("striptags", args, {}, 0);
  Heap& heap = in.heap();
  std::string text = to_text(heap, value);
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"<!--", "-->"}, {"<", ">"}}) {
    std::string kept;
    size_t at = 0;
    for (size_t begin = text.find(open); begin != text.npos; begin = text.find(open, at)) {
      const size_t end = text.find(close, begin);
      if (end == text.npos) break;
      kept += text.substr(at, begin - at);
      at = end + close.size();
    }
    text = kept + text.substr(at);
  }
  Arguments none;
  const Value words = find_method(make_text(heap, ""), "split")(heap, make_text(heap, text), none);
  std::string out;
  for (const Value& word : words.get<Array>().items) out += (out.empty() ? "" : " ") + word.get<Text>().text;
  static constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
  for (const auto& [from, to] : kEntities) out = replace_text(heap, out, from, to, -1);
  return make_text(heap, std::move(out));
}

// --- JSON
// ----------------------------------------------------------------------------------------------------------------
Value filter_tojson(Interpreter& in, const Value& value, const Arguments& args) {
  const Bound bound("tojson", args, {"ensure_ascii", "indent", "separators", "sort_keys"}, 0);
  JsonStyle style;
  style.ensure_ascii = bound.flag(0);
  style.sort_keys = bound.flag(3);
  if (bound.given(1)) {
    style.indented = true;
    style.item_separator = ",";
    if (bound[1].is_string()) {
      style.indent = bound[1].get<Text>().text;
    } else {
      const int64_t width = std::max<int64_t>(expect_index(bound[1], "indent"), 0);
      if (width > 10'000) fail_limit("an indentation is too wide");
      style.indent.assign(static_cast<size_t>(width), ' ');
    }
  }
  if (bound.given(2)) {
    const Values pair = to_values(in.heap(), bound[2]);
    if (pair.size() != 2) fail("separators must be a pair");
    style.item_separator = expect_text(pair[0], "a separator");
    style.key_separator = expect_text(pair[1], "a separator");
  }
  return make_text(in.heap(), dump_json(in.heap(), value, style));
}

constexpr FilterRow kRows[] = {
    {"trim", filter_trim},
    {"tojson", filter_tojson},
    {"upper", filter_upper},
    {"lower", filter_lower},
    {"capitalize", filter_capitalize},
    {"title", filter_title},
    {"replace", filter_replace},
    {"string", filter_string},
    {"indent", filter_indent},
    {"format", filter_format},
    {"truncate", filter_truncate},
    {"center", filter_center},
    {"wordcount", filter_wordcount},
    {"wordwrap", filter_wordwrap},
    {"safe", filter_safe},
    {"escape", filter_escape},
    {"e", filter_escape},
    {"forceescape", filter_forceescape},
    {"striptags", filter_striptags},
    {"urlencode", filter_urlencode},
    {"xmlattr", filter_xmlattr},
};

}  // namespace

std::span<const FilterRow> text_filters() {
  return kRows;
}

}  // namespace ingle::jinja
