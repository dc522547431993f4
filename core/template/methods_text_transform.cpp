// str methods that ask about text, change its case, pad it, or format.
#include <algorithm>

#include "core/template/arguments.h"
#include "core/template/format.h"
#include "core/template/methods.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

const std::string& text_of(const Value& self) {
  return self.get<Text>().text;
}

// --- case
// ----------------------------------------------------------------------------------------------------------------
template <auto kTransform>
Value transform(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("the method", args, {}, 0);
  check_growth(heap, text_of(self).size() * 5);
  return make_text(heap, kTransform(text_of(self)), self.get<Text>().markup);
}

// --- questions
// ----------------------------------------------------------------------------------------------------------- Whether
// the text is not empty and all its code points are `kAsk`.
template <auto kAsk>
Value every(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("the method", args, {}, 0);
  heap.touch(text_of(self).size() * 4);
  const auto points = code_points(text_of(self));
  return Value::boolean(!points.empty() && std::all_of(points.begin(), points.end(), kAsk));
}

// Cased text, and none of it in the other case.
template <auto kWanted, auto kOther>
Value one_case(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("the method", args, {}, 0);
  heap.touch(text_of(self).size() * 4);
  bool found = false;
  for (const uint32_t c : code_points(text_of(self))) {
    if (kOther(c) || is_title(c)) return Value::boolean(false);
    found = found || kWanted(c);
  }
  return Value::boolean(found);
}

Value text_istitle(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("istitle", args, {}, 0);
  heap.touch(text_of(self).size() * 4);
  bool inside = false, found = false;
  for (const uint32_t c : code_points(text_of(self))) {
    const bool starts = is_upper(c) || is_title(c);
    if (starts ? inside : is_lower(c) && !inside) return Value::boolean(false);
    inside = starts || is_lower(c);
    found = found || inside;
  }
  return Value::boolean(found);
}

Value text_isascii(Heap&, const Value& self, const Arguments& args) {
  const Bound bound("isascii", args, {}, 0);
  return Value::boolean(self.get<Text>().ascii());
}
Value text_isprintable(Heap& heap, const Value& self, const Arguments& args) {
  if (text_of(self).empty()) return Value::boolean(true);
  return every<is_printable>(heap, self, args);
}
Value text_isidentifier(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("isidentifier", args, {}, 0);
  heap.touch(text_of(self).size() * 4);
  const auto points = code_points(text_of(self));
  return Value::boolean(!points.empty() && is_identifier_start(points[0]) &&
                        std::all_of(points.begin(), points.end(), is_identifier_part));
}

// --- padding
// -------------------------------------------------------------------------------------------------------------
enum class Side { left, right, both };

Value pad(Heap& heap, const Value& self, const Arguments& args, Side text_side) {
  const Bound bound("the method", args, {"width", "fillchar"}, 1, 2);
  const auto& text = self.get<Text>();
  std::string fill = bound.has(1) ? expect_text(bound[1], "the fill character") : " ";
  if (count_chars(fill) != 1) fail("The fill character must be exactly one character long");
  if (text.markup) fill = escape_html(fill);
  const int64_t width = expect_index(bound[0], "the width"), size = static_cast<int64_t>(text.chars);
  const auto missing = static_cast<uint64_t>(std::max<int64_t>(width - size, 0));
  if (missing > (uint64_t{1} << 40)) fail_limit("a string is too long");
  check_growth(heap, text.text.size() + missing * fill.size());
  uint64_t left = text_side == Side::left ? 0 : text_side == Side::right ? missing : missing / 2;
  if (text_side == Side::both) left += missing & static_cast<uint64_t>(width) & 1;
  std::string out;
  for (uint64_t i = 0; i < left; ++i) out += fill;
  out += text.text;
  for (uint64_t i = left; i < missing; ++i) out += fill;
  return make_text(heap, std::move(out), text.markup);
}
Value text_ljust(Heap& h, const Value& s, const Arguments& a) {
  return pad(h, s, a, Side::left);
}
Value text_rjust(Heap& h, const Value& s, const Arguments& a) {
  return pad(h, s, a, Side::right);
}
Value text_center(Heap& h, const Value& s, const Arguments& a) {
  return pad(h, s, a, Side::both);
}

Value text_zfill(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("zfill", args, {"width"}, 1, 1);
  const auto& text = self.get<Text>();
  const int64_t missing = expect_index(bound[0], "the width") - static_cast<int64_t>(text.chars);
  if (missing <= 0) return self;
  check_growth(heap, text.text.size() + static_cast<size_t>(missing));
  const bool is_signed = text.text.starts_with('+') || text.text.starts_with('-');
  std::string out = text.text;
  out.insert(is_signed ? 1 : 0, static_cast<size_t>(missing), '0');
  return make_text(heap, std::move(out), text.markup);
}

Value text_expandtabs(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("expandtabs", args, {"tabsize"}, 0);
  const int64_t size = bound.int_or(0, 8);
  std::string out;
  int64_t column = 0;
  for (const char c : text_of(self)) {
    if (c == '\t') {
      const int64_t width = size > 0 ? size - column % size : 0;
      grow(heap, out, static_cast<size_t>(width));
      out.append(static_cast<size_t>(width), ' ');
      column += width;
      continue;
    }
    out += c;
    if (c == '\n' || c == '\r')
      column = 0;
    else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80)
      ++column;
  }
  return make_text(heap, std::move(out), self.get<Text>().markup);
}

// --- format
// --------------------------------------------------------------------------------------------------------------
Value text_format(Heap& heap, const Value& self, const Arguments& args) {
  return make_text(heap, format_braces(heap, text_of(self), args), self.get<Text>().markup);
}
Value text_format_map(Heap& heap, const Value& self, const Arguments& args) {
  const Bound bound("format_map", args, {"mapping"}, 1, 1);
  if (!bound[0].is(Type::dict)) fail("format_map() needs a mapping");
  Arguments inner;
  for (const auto& entry : bound[0].get<Dict>().entries)
    if (entry.key.is_string()) inner.named.push_back({entry.key.get<Text>().text, entry.value});
  return make_text(heap, format_braces(heap, text_of(self), inner), self.get<Text>().markup);
}

constexpr MethodRow kRows[] = {
    {"upper", transform<to_upper>},
    {"lower", transform<to_lower>},
    {"title", transform<to_title>},
    {"capitalize", transform<capitalize>},
    {"swapcase", transform<swap_case>},
    {"casefold", transform<fold_case>},
    {"isalpha", every<is_alpha>},
    {"isdigit", every<is_digit>},
    {"isdecimal", every<is_decimal>},
    {"isnumeric", every<is_numeric>},
    {"isalnum", every<is_alnum>},
    {"isspace", every<is_space>},
    {"islower", one_case<is_lower, is_upper>},
    {"isupper", one_case<is_upper, is_lower>},
    {"istitle", text_istitle},
    {"isascii", text_isascii},
    {"isprintable", text_isprintable},
    {"isidentifier", text_isidentifier},
    {"ljust", text_ljust},
    {"rjust", text_rjust},
    {"center", text_center},
    {"zfill", text_zfill},
    {"expandtabs", text_expandtabs},
    {"format", text_format},
    {"format_map", text_format_map},
};

}  // namespace

std::span<const MethodRow> text_transform_methods() {
  return kRows;
}

}  // namespace ingle::jinja
