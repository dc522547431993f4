// str methods that search, cut and join.
#include <algorithm>

#include "base/utf8.h"
#include "core/template/arguments.h"
#include "core/template/methods.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

const std::string& text_of(const Value& self) {
  return self.get<Text>().text;
}

// A piece of `self`, Markup like it.
Value piece(Heap& heap, const Value& self, std::string_view text) {
  return make_text(heap, std::string(text), self.get<Text>().markup);
}

// A string argument as it enters `self`: Markup escapes what is not Markup.
std::string entering(const Value& self, const Value& arg, std::string_view what) {
  const std::string& text = expect_text(arg, what);
  return self.get<Text>().markup && !arg.get<Text>().markup ? escape_html(text) : text;
}

// --- strip, removeprefix
// -----------------------------------------------------------------------------------------------
Value strip_sides(Heap& heap, const Value& self, const Arguments& args, std::string_view name, bool left, bool right) {
  const Bound bound(name, args, {"chars"}, 0, 1);
  std::string_view text = text_of(self);
  heap.touch(text.size());
  if (bound.given(0)) {
    const std::string& set = expect_text(bound[0], "the characters to strip");
    heap.touch(text.size() * std::min<size_t>(set.size() + 1, 64));
    return piece(heap, self, strip_set(text, set, left, right));
  }
  if (left) text = strip_left(text);
  if (right) text = strip_right(text);
  return piece(heap, self, text);
}
Value text_strip(Heap& h, const Value& s, const Arguments& a) {
  return strip_sides(h, s, a, "strip", true, true);
}
Value text_lstrip(Heap& h, const Value& s, const Arguments& a) {
  return strip_sides(h, s, a, "lstrip", true, false);
}
Value text_rstrip(Heap& h, const Value& s, const Arguments& a) {
  return strip_sides(h, s, a, "rstrip", false, true);
}

Value text_removeprefix(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("removeprefix", args, {"prefix"}, 1, 1);
  const std::string& prefix = expect_text(bound[0], "the prefix");
  return piece(heap, self,
               std::string_view(text_of(self)).substr(text_of(self).starts_with(prefix) ? prefix.size() : 0));
}
Value text_removesuffix(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("removesuffix", args, {"suffix"}, 1, 1);
  const std::string& suffix = expect_text(bound[0], "the suffix");
  const std::string_view text = text_of(self);
  return piece(heap, self, text.substr(0, text.size() - (text.ends_with(suffix) ? suffix.size() : 0)));
}

// --- find
// ----------------------------------------------------------------------------------------------------------------
struct Window {
  std::string_view text;
  size_t offset = 0;   // code points before it
  bool valid = false;  // start lies inside the text
};

// text[start:stop] as find, count and startswith take it.
Window window(Heap& heap, const Value& self, const Bound& bound, size_t first) {
  const auto& text = self.get<Text>();
  heap.touch(text.text.size());
  const auto size = static_cast<int64_t>(text.chars);
  const auto place = [&](size_t i, int64_t fallback) {
    if (!bound.given(i)) return fallback;
    const int64_t at = expect_index(bound[i], "slice indices");
    return at < 0 ? std::max<int64_t>(at + size, 0) : at;
  };
  const int64_t start = place(first, 0), stop = std::min(place(first + 1, size), size);
  if (start > size || start > stop) return {};
  const size_t begin = byte_offset(text.text, static_cast<size_t>(start));
  const size_t end = byte_offset(text.text, static_cast<size_t>(stop));
  return {std::string_view(text.text).substr(begin, end - begin), static_cast<size_t>(start), true};
}

int64_t search(Heap& heap, const Value& self, const Arguments& args, std::string_view name, bool backwards) {
  const Bound bound(name, args, {"sub", "start", "end"}, 1, 3);
  const std::string& needle = expect_text(bound[0], "the text to find");
  const Window w = window(heap, self, bound, 1);
  if (!w.valid) return -1;
  const size_t at = backwards ? w.text.rfind(needle) : w.text.find(needle);
  if (at == w.text.npos) return -1;
  return static_cast<int64_t>(w.offset + count_chars(w.text.substr(0, at)));
}
Value text_find(Heap& h, const Value& s, const Arguments& a) {
  return Value::integer(search(h, s, a, "find", false));
}
Value text_rfind(Heap& h, const Value& s, const Arguments& a) {
  return Value::integer(search(h, s, a, "rfind", true));
}
Value text_index(Heap& h, const Value& s, const Arguments& a) {
  const int64_t at = search(h, s, a, "index", false);
  if (at < 0) fail("substring not found");
  return Value::integer(at);
}
Value text_rindex(Heap& h, const Value& s, const Arguments& a) {
  const int64_t at = search(h, s, a, "rindex", true);
  if (at < 0) fail("substring not found");
  return Value::integer(at);
}

Value text_count(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("count", args, {"sub", "start", "end"}, 1, 3);
  const std::string& needle = expect_text(bound[0], "the text to count");
  const Window w = window(heap, self, bound, 1);
  if (!w.valid) return Value::integer(0);
  if (needle.empty()) return Value::integer(static_cast<int64_t>(count_chars(w.text)) + 1);
  int64_t count = 0;
  for (size_t at = w.text.find(needle); at != w.text.npos; at = w.text.find(needle, at + needle.size())) ++count;
  return Value::integer(count);
}

bool has_affix(Heap& heap, const Value& self, const Arguments& args, bool prefix) {
  const Bound bound(prefix ? "startswith" : "endswith", args, {"affix", "start", "end"}, 1, 3);
  const Window w = window(heap, self, bound, 1);
  const auto matches = [&](const Value& affix) {
    const std::string& text = expect_text(affix, "startswith and endswith: the first argument");
    return w.valid && (prefix ? w.text.starts_with(text) : w.text.ends_with(text));
  };
  if (!bound[0].is(Type::tuple)) return matches(bound[0]);
  const auto& options = bound[0].get<Array>().items;
  return std::any_of(options.begin(), options.end(), matches);
}
Value text_startswith(Heap& h, const Value& s, const Arguments& a) {
  return Value::boolean(has_affix(h, s, a, true));
}
Value text_endswith(Heap& h, const Value& s, const Arguments& a) {
  return Value::boolean(has_affix(h, s, a, false));
}

// --- split
// ---------------------------------------------------------------------------------------------------------------
std::vector<std::string_view> split_spaces(std::string_view text, int64_t limit) {
  std::vector<std::string_view> parts;
  for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
    if (limit-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t at = 0;
    while (at < text.size()) {
      const auto c = base::decode_utf8(text.substr(at));
      if (is_space(c.value)) break;
      at += std::max(1u, c.length);
    }
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at);
  }
  return parts;
}

std::vector<std::string_view> split_spaces_backwards(std::string_view text, int64_t limit) {
  std::vector<std::string_view> parts;
  for (text = strip_right(text); !text.empty(); text = strip_right(text)) {
    if (limit-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t at = text.size();
    while (at > 0) {
      size_t start = at - 1;
      while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
      if (is_space(base::decode_utf8(text.substr(start)).value)) break;
      at = start;
    }
    parts.push_back(text.substr(at));
    text = text.substr(0, at);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t limit) {
  std::vector<std::string_view> parts;
  for (size_t at = text.find(separator); at != text.npos && limit-- != 0; at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> split_at_backwards(std::string_view text, std::string_view separator, int64_t limit) {
  std::vector<std::string_view> parts;
  for (size_t at = text.rfind(separator); at != text.npos && limit-- != 0; at = text.rfind(separator)) {
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

Value pieces(Heap& heap, const Value& self, const std::vector<std::string_view>& parts) {
  check_growth(heap, parts.size() * sizeof(Text));
  Values out;
  out.reserve(parts.size());
  for (const auto part : parts) out.push_back(piece(heap, self, part));
  return make_list(heap, std::move(out));
}

Value split_text(Heap& heap, const Value& self, const Arguments& args, bool backwards) {
  const Bound bound(backwards ? "rsplit" : "split", args, {"sep", "maxsplit"}, 0);
  const std::string& text = text_of(self);
  check_growth(heap, text.size());
  const int64_t limit = bound.int_or(1, -1);
  if (!bound.given(0))
    return pieces(heap, self, backwards ? split_spaces_backwards(text, limit) : split_spaces(text, limit));
  const std::string& separator = expect_text(bound[0], "the separator");
  if (separator.empty()) fail("empty separator");
  return pieces(heap, self, backwards ? split_at_backwards(text, separator, limit) : split_at(text, separator, limit));
}
Value text_split(Heap& h, const Value& s, const Arguments& a) {
  return split_text(h, s, a, false);
}
Value text_rsplit(Heap& h, const Value& s, const Arguments& a) {
  return split_text(h, s, a, true);
}

Value text_splitlines(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("splitlines", args, {"keepends"}, 0);
  heap.touch(text_of(self).size());
  return pieces(heap, self, split_lines(text_of(self), bound.flag(0)));
}

Value cut_in_three(Heap& heap, const Value& self, const Arguments& args, bool backwards) {
  const Bound bound(backwards ? "rpartition" : "partition", args, {"sep"}, 1, 1);
  const std::string& separator = expect_text(bound[0], "the separator");
  if (separator.empty()) fail("empty separator");
  const std::string_view text = text_of(self);
  heap.touch(text.size());
  const size_t at = backwards ? text.rfind(separator) : text.find(separator);
  std::string_view parts[3] = {backwards ? "" : text, "", backwards ? text : ""};
  if (at != text.npos) {
    parts[0] = text.substr(0, at);
    parts[1] = separator;
    parts[2] = text.substr(at + separator.size());
  }
  return make_tuple(heap, {piece(heap, self, parts[0]), piece(heap, self, parts[1]), piece(heap, self, parts[2])});
}
Value text_partition(Heap& h, const Value& s, const Arguments& a) {
  return cut_in_three(h, s, a, false);
}
Value text_rpartition(Heap& h, const Value& s, const Arguments& a) {
  return cut_in_three(h, s, a, true);
}

// --- join, replace
// -----------------------------------------------------------------------------------------------------
Value text_join(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("join", args, {"iterable"}, 1, 1);
  std::string out;
  Value item;
  size_t index = 0;
  for (const Next next = iterate(heap, bound[0]); next(item); ++index) {
    if (!item.is_string() && self.get<Text>().markup) item = make_text(heap, to_text(heap, item));
    if (!item.is_string())
      fail("sequence item " + std::to_string(index) + ": expected str instance, " + std::string(type_name(item)) +
           " found");
    const std::string text = entering(self, item, "the item");
    grow(heap, out, text.size() + text_of(self).size());
    if (index > 0) out += text_of(self);
    out += text;
  }
  return piece(heap, self, out);
}

Value text_replace(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("replace", args, {"old", "new", "count"}, 2, 3);
  const std::string& old = expect_text(bound[0], "the text to replace");
  const std::string fresh = entering(self, bound[1], "the replacement");
  return piece(heap, self, replace_text(heap, text_of(self), old, fresh, bound.int_or(2, -1)));
}

constexpr MethodRow kRows[] = {
    {"strip", text_strip},
    {"split", text_split},
    {"startswith", text_startswith},
    {"endswith", text_endswith},
    {"replace", text_replace},
    {"join", text_join},
    {"lstrip", text_lstrip},
    {"rstrip", text_rstrip},
    {"find", text_find},
    {"rfind", text_rfind},
    {"index", text_index},
    {"rindex", text_rindex},
    {"count", text_count},
    {"rsplit", text_rsplit},
    {"splitlines", text_splitlines},
    {"partition", text_partition},
    {"rpartition", text_rpartition},
    {"removeprefix", text_removeprefix},
    {"removesuffix", text_removesuffix},
};

}  // namespace

std::string replace_text(Heap& heap, std::string_view text, std::string_view old, std::string_view fresh,
                         int64_t limit) {
  heap.touch(text.size());
  std::string out;
  size_t at = 0;
  if (old.empty()) {  // between all code points, and at both ends
    while (limit-- != 0) {
      grow(heap, out, fresh.size() + 4);
      out += fresh;
      if (at >= text.size()) return out;
      const size_t size = byte_offset(text.substr(at), 1);
      out += text.substr(at, size);
      at += size;
    }
  } else {
    for (size_t found = text.find(old); found != text.npos && limit-- != 0; found = text.find(old, at)) {
      grow(heap, out, fresh.size() + found - at);
      out += text.substr(at, found - at);
      out += fresh;
      at = found + old.size();
    }
  }
  grow(heap, out, text.size() - at);
  out += text.substr(at);
  return out;
}

std::span<const MethodRow> text_search_methods() {
  return kRows;
}

}  // namespace ingle::jinja
