// str.format and the format specification mini-language.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "core/template/format.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

// [[fill]align][sign][z][#][0][width][grouping][.precision][type]
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', grouping = 0, type = 0;
  bool alternate = false, zero_negative = false;
  int width = 0, precision = -1;
};

bool is_align(char c) {
  return c == '<' || c == '>' || c == '=' || c == '^';
}

int read_number(std::string_view& text) {
  int number = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    number = number * 10 + (text[0] - '0');
    if (number > 1'000'000) fail_limit("a format is too wide");
    text.remove_prefix(1);
  }
  return number;
}

bool take(std::string_view& text, std::string_view chars, char& out) {
  if (text.empty() || chars.find(text[0]) == chars.npos) return false;
  out = text[0];
  text.remove_prefix(1);
  return true;
}

Spec parse_spec(std::string_view text) {
  Spec spec;
  const size_t first = text.empty() ? 0 : base::decode_utf8(text).length;
  if (text.size() > first && is_align(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    text.remove_prefix(first + 1);
  } else {
    take(text, "<>=^", spec.align);
  }
  take(text, "+- ", spec.sign);
  char c = 0;
  spec.zero_negative = take(text, "z", c);
  spec.alternate = take(text, "#", c);
  if (!text.empty() && text[0] == '0') {
    text.remove_prefix(1);
    if (spec.align == 0) {
      spec.fill = "0";
      spec.align = '=';
    }
  }
  spec.width = read_number(text);
  take(text, ",_", spec.grouping);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    if (text.empty() || text[0] < '0' || text[0] > '9') fail("Format specifier missing precision");
    spec.precision = read_number(text);
  }
  if (text.size() > 1) fail("Invalid format specifier");
  if (!text.empty()) spec.type = text[0];
  return spec;
}

std::string padded(Heap& heap, const Spec& spec, const std::string& sign, const std::string& body, char align) {
  const size_t size = sign.size() + count_chars(body);
  const size_t missing = static_cast<size_t>(spec.width) > size ? static_cast<size_t>(spec.width) - size : 0;
  check_growth(heap, missing * spec.fill.size() + body.size());
  std::string left, right;
  const size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  for (size_t i = 0; i < before; ++i) left += spec.fill;
  for (size_t i = before; i < missing; ++i) right += spec.fill;
  if (align == '=') return sign + left + body;
  return left + sign + body + right;
}

// Thousands separators; with '=' and fill '0' the zeros take part in the grouping.
std::string grouped(const Spec& spec, std::string whole, size_t other, size_t unit) {
  if (spec.grouping == 0) return whole;
  const size_t target = spec.fill == "0" && spec.align == '=' ? static_cast<size_t>(spec.width) : 0;
  const auto size_with = [&](size_t digits) { return digits + (digits - 1) / unit + other; };
  size_t digits = whole.size();
  while (size_with(digits) < target) ++digits;
  whole.insert(0, digits - whole.size(), '0');
  std::string out;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (i > 0 && (whole.size() - i) % unit == 0) out += spec.grouping;
    out += whole[i];
  }
  return out;
}

std::string sign_text(const Spec& spec, bool negative) {
  return negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
}

std::string format_integer(Heap& heap, const Spec& spec, int64_t value) {
  if (spec.precision >= 0) fail("Precision not allowed in integer format specifier");
  if (spec.type == 'c') {
    if (value < 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) fail("%c arg not in range(0x110000)");
    std::string out;
    base::append_utf8(out, static_cast<uint32_t>(value));
    return padded(heap, spec, "", out, spec.align == 0 ? '<' : spec.align);
  }
  int base = 10;
  std::string prefix;
  if (spec.type == 'b') base = 2, prefix = "0b";
  if (spec.type == 'o') base = 8, prefix = "0o";
  if (spec.type == 'x') base = 16, prefix = "0x";
  if (spec.type == 'X') base = 16, prefix = "0X";
  if (base != 10 && spec.grouping == ',') fail("Cannot specify ',' with '" + std::string(1, spec.type) + "'.");
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  char buffer[80];
  std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
  if (spec.type == 'X') digits = to_upper(digits);
  std::string sign = sign_text(spec, value < 0);
  if (spec.alternate && base != 10) sign += prefix;
  digits = grouped(spec, std::move(digits), sign.size(), base == 10 ? 3 : 4);
  return padded(heap, spec, sign, digits, spec.align == 0 ? '>' : spec.align);
}

// The type None of floats: like 'g' with the shortest digits that read back, but with a digit after the point.
std::string plain_real(const Spec& spec, double magnitude) {
  if (spec.precision < 0 || !std::isfinite(magnitude)) return format_real(magnitude);
  std::string out = format_digits(magnitude, 'g', spec.precision, spec.alternate);
  const size_t digits = static_cast<size_t>(std::max(spec.precision, 1));
  if (out.find('e') == out.npos && out.find('.') == out.npos) {
    if (out.size() >= digits) return format_digits(magnitude, 'e', static_cast<int>(digits) - 1, false);
    out += ".0";
  }
  return out;
}

std::string format_float(Heap& heap, const Spec& spec, double value) {
  const double magnitude = std::fabs(value);
  const char style = static_cast<char>(spec.type | 32);
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  if (precision > 400) fail_limit("a precision is too large");
  std::string body;
  if (spec.type == 0)
    body = plain_real(spec, magnitude);
  else if (spec.type == '%')
    body = format_digits(magnitude * 100, 'f', precision, spec.alternate) + "%";
  else
    body = format_digits(magnitude, style == 'n' ? 'g' : style, precision, spec.alternate);
  if (spec.type != 0 && spec.type != '%' && spec.type != style) body = to_upper(body);
  const bool negative = std::signbit(value) && !std::isnan(value);
  const bool all_zero = body.find_first_of("123456789infa") == body.npos;
  const std::string sign = sign_text(spec, negative && !(spec.zero_negative && all_zero));
  if (std::isfinite(value)) {
    const size_t whole = std::min(body.find_first_not_of("0123456789"), body.size());
    const std::string rest = body.substr(whole);
    body = grouped(spec, body.substr(0, whole), sign.size() + rest.size(), 3) + rest;
  }
  return padded(heap, spec, sign, body, spec.align == 0 ? '>' : spec.align);
}

}  // namespace

std::string format_value(Heap& heap, const Value& value, std::string_view text) {
  const bool formattable = value.is_string() || value.is_number();
  if (text.empty() && !value.is_undefined()) return to_text(heap, value);
  if (!formattable) {
    if (text.empty()) return to_text(heap, value);
    fail("unsupported format string passed to " + std::string(type_name(value)) + ".__format__");
  }
  const Spec spec = parse_spec(text);
  const std::string unknown = "Unknown format code '" + std::string(1, spec.type) + "' for object of type '" +
                              std::string(type_name(value)) + "'";
  if (value.is_string()) {
    if (spec.type != 0 && spec.type != 's') fail(unknown);
    if (spec.sign != '-') fail("Sign not allowed in string format specifier");
    if (spec.alternate || spec.grouping != 0)
      fail("Alternate form and grouping are not allowed in string format specifier");
    if (spec.align == '=' && spec.fill != "0") fail("'=' alignment not allowed in string format specifier");
    std::string body = value.get<Text>().text;
    if (spec.precision >= 0) body.resize(byte_offset(body, static_cast<size_t>(spec.precision)));
    const char align = spec.align == 0 || spec.align == '=' ? '<' : spec.align;
    return padded(heap, spec, "", body, align);
  }
  const bool real_type = spec.type != 0 && std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos;
  if (value.is_int() && !real_type) {
    if (spec.type != 0 && std::string_view("bcdoxXn").find(spec.type) == std::string_view::npos) fail(unknown);
    if (value.is(Type::boolean) && spec.type == 0)
      return padded(heap, spec, "", std::to_string(value.as_int()), spec.align == 0 ? '>' : spec.align);
    return format_integer(heap, spec, value.as_int());
  }
  if (spec.type != 0 && !real_type && spec.type != 'n') fail(unknown);
  return format_float(heap, spec, value.as_real());
}

namespace {

// One call of str.format: literal text and replacement fields, whose specs may hold fields again.
class Braces {
 public:
  Braces(Heap& heap, const Arguments& args) : heap_(heap), args_(args) {}

  std::string run(std::string_view text, int depth) {
    if (depth < 0) fail("Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c != '{' && c != '}') {
        const size_t end = std::min(text.find_first_of("{}", at), text.size());
        grow(heap_, out, end - at);
        out += text.substr(at, end - at);
        at = end;
      } else if (at + 1 < text.size() && text[at + 1] == c) {
        out += c;
        at += 2;
      } else if (c == '}') {
        fail("Single '}' encountered in format string");
      } else {
        const size_t end = field_end(text, at + 1);
        const std::string piece = field(text.substr(at + 1, end - at - 1), depth);
        grow(heap_, out, piece.size());
        out += piece;
        at = end + 1;
      }
    }
    return out;
  }

 private:
  static size_t field_end(std::string_view text, size_t at) {
    int depth = 1;
    bool bracket = false;
    for (; at < text.size(); ++at) {
      if (text[at] == '[') bracket = true;
      if (text[at] == ']') bracket = false;
      if (bracket) continue;
      depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
      if (depth == 0) return at;
    }
    fail("expected '}' before end of string");
  }

  std::string field(std::string_view text, int depth) {
    size_t name_end = 0;
    bool bracket = false;
    for (; name_end < text.size(); ++name_end) {
      if (text[name_end] == '[') bracket = true;
      if (text[name_end] == ']') bracket = false;
      if (!bracket && (text[name_end] == '!' || text[name_end] == ':')) break;
      if (text[name_end] == '{') fail("unexpected '{' in field name");
    }
    Value value = resolve(text.substr(0, name_end));
    std::string_view rest = text.substr(name_end);
    if (rest.starts_with('!')) {
      if (rest.size() < 2) fail("end of string while looking for conversion specifier");
      const char conversion = rest[1];
      if (rest.size() > 2 && rest[2] != ':') fail("expected ':' after conversion specifier");
      std::string shown = conversion == 's' ? to_text(heap_, value) : repr(heap_, value);
      if (conversion == 'a') shown = escape_non_ascii(shown);
      if (conversion != 's' && conversion != 'r' && conversion != 'a') fail("Unknown conversion specifier");
      value = make_text(heap_, std::move(shown));
      rest.remove_prefix(2);
    }
    const std::string spec = rest.empty() ? "" : run(rest.substr(1), depth - 1);
    return format_value(heap_, value, spec);
  }

  Value first_value(std::string_view name) {
    const bool digits =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (name.empty() || digits) {
      if (name.empty() ? numbering_ == Numbering::manual : numbering_ == Numbering::automatic)
        fail("cannot switch between manual field specification and automatic field numbering");
      numbering_ = name.empty() ? Numbering::automatic : Numbering::manual;
      size_t index = next_;
      if (name.empty())
        ++next_;
      else if (std::from_chars(name.data(), name.data() + name.size(), index).ec != std::errc())
        index = SIZE_MAX;
      if (index >= args_.positional.size()) fail("Replacement index out of range for positional args tuple");
      return args_.positional[index];
    }
    for (const Keyword& keyword : args_.named)
      if (keyword.name == name) return keyword.value;
    fail("the format names an argument that is not there: '" + std::string(name) + "'");
  }

  Value resolve(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first_value(name.substr(0, end));
    name.remove_prefix(end);
    while (!name.empty()) {
      if (name[0] == '.') {
        const size_t stop = std::min(name.find_first_of(".[", 1), name.size());
        if (stop == 1) fail("Empty attribute in format string");
        value = get_attribute(heap_, value, name.substr(1, stop - 1));
        name.remove_prefix(stop);
      } else if (name[0] == '[') {
        const size_t stop = name.find(']');
        if (stop == name.npos) fail("Missing ']' in format string");
        if (stop == 1) fail("Empty attribute in format string");
        value = get_item(heap_, value, item_key(name.substr(1, stop - 1)));
        name.remove_prefix(stop + 1);
      } else {
        fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  Value item_key(std::string_view text) {
    int64_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error == std::errc() && end == text.data() + text.size() && text[0] != '-') return Value::integer(index);
    return make_text(heap_, std::string(text));
  }

  enum class Numbering { unknown, automatic, manual };
  Heap& heap_;
  const Arguments& args_;
  Numbering numbering_ = Numbering::unknown;
  size_t next_ = 0;
};

}  // namespace

std::string format_braces(Heap& heap, std::string_view format, const Arguments& args) {
  return Braces(heap, args).run(format, 2);
}

}  // namespace ingle::jinja
