// printf-style formatting: `text % args`, as Python's str does it.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "core/template/format.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {

std::string format_digits(double value, char style, int precision, bool alternate) {
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return "inf";
  if (precision > 400) precision = 400;
  std::string out(static_cast<size_t>(precision) + 400, '\0');
  if (style != 'g') {
    const auto form = style == 'f' ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(out.data(), out.data() + out.size(), magnitude, form, precision).ptr;
    out.resize(static_cast<size_t>(end - out.data()));
    if (alternate && precision == 0) out.insert(std::min(out.find('e'), out.size()), 1, '.');
    return out;
  }
  if (precision == 0) precision = 1;
  const auto end =
      std::to_chars(out.data(), out.data() + out.size(), magnitude, std::chars_format::general, precision).ptr;
  out.resize(static_cast<size_t>(end - out.data()));
  if (!alternate) return out;
  // '#': the zeros that 'g' drops come back.
  const size_t exponent = std::min(out.find('e'), out.size());
  std::string mantissa = out.substr(0, exponent);
  if (mantissa.find('.') == mantissa.npos) mantissa += '.';
  auto digits = static_cast<int>(std::count_if(mantissa.begin(), mantissa.end(), [](char c) { return c != '.'; }));
  if (magnitude < 1 && magnitude > 0) {
    const size_t first = mantissa.find_first_not_of("0.");
    digits = static_cast<int>(mantissa.size() - first);
  }
  if (digits < precision) mantissa.append(static_cast<size_t>(precision - digits), '0');
  return mantissa + out.substr(exponent);
}

namespace {

struct Spec {
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  int width = 0;
  int precision = -1;
};

class Percent {
 public:
  Percent(Heap& heap, const Text& format, const Value& args) : heap_(heap), text_(format.text), args_(args) {
    escaping_ = format.markup;
    if (args.is(Type::tuple)) count_ = args.get<Array>().items.size();
  }

  std::string run() {
    while (at_ < text_.size()) {
      const size_t percent = std::min(text_.find('%', at_), text_.size());
      grow(heap_, out_, percent - at_);
      out_ += text_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ < text_.size()) directive();
    }
    // What has a __getitem__ may stay unused.
    const bool mapping = args_.is(Type::dict) || args_.is(Type::list) || args_.is(Type::range) || args_.is_undefined();
    if (!keyed_ && used_ < count_ && !mapping) fail("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char peek() const {
    if (at_ >= text_.size()) fail("incomplete format");
    return text_[at_];
  }

  Value take() {
    if (has_key_) return key_value_;
    if (used_ >= count_) fail("not enough arguments for format string");
    if (args_.is(Type::tuple)) return args_.get<Array>().items[used_++];
    ++used_;
    return args_;
  }

  void read_key() {
    has_key_ = false;
    if (peek() != '(') return;
    if (!args_.is(Type::dict)) fail("format requires a mapping");
    int depth = 1;
    const size_t start = ++at_;
    for (; depth > 0; ++at_) {
      if (at_ >= text_.size()) fail("incomplete format key");
      depth += text_[at_] == '(' ? 1 : text_[at_] == ')' ? -1 : 0;
    }
    const std::string_view key = text_.substr(start, at_ - 1 - start);
    const Value* found = args_.get<Dict>().find(key);
    if (found == nullptr) fail("the format names an argument that is not there: '" + std::string(key) + "'");
    key_value_ = *found;
    has_key_ = keyed_ = true;
  }

  int read_number() {
    if (peek() == '*') {
      ++at_;
      const Value v = take();
      if (!v.is_int()) fail("* wants int");
      if (v.as_int() > 1'000'000 || v.as_int() < -1'000'000) fail_limit("a format is too wide");
      return static_cast<int>(v.as_int());
    }
    int number = 0;
    while (peek() >= '0' && peek() <= '9') {
      number = number * 10 + (text_[at_++] - '0');
      if (number > 1'000'000) fail_limit("a format is too wide");
    }
    return number;
  }

  Spec read_spec() {
    Spec spec;
    read_key();
    for (;; ++at_) {
      const char c = peek();
      if (c == '-')
        spec.left = true;
      else if (c == '+')
        spec.plus = true;
      else if (c == ' ')
        spec.space = true;
      else if (c == '#')
        spec.alternate = true;
      else if (c == '0')
        spec.zero = true;
      else
        break;
    }
    spec.width = read_number();
    if (spec.width < 0) {
      spec.left = true;
      spec.width = -spec.width;
    }
    if (peek() == '.') {
      ++at_;
      spec.precision = std::max(0, read_number());
    }
    if (peek() == 'h' || peek() == 'l' || peek() == 'L') ++at_;
    return spec;
  }

  void directive() {
    ++at_;
    const Spec spec = read_spec();
    const char type = peek();
    ++at_;
    switch (type) {
      case '%':
        out_ += '%';
        return;
      case 's':
      case 'r':
      case 'a':
        return put_text(spec, shown(type, take()));
      case 'c':
        return put_text(spec, character(take()));
      case 'd':
      case 'i':
      case 'u':
        return put_integer(spec, type, whole(take(), true));
      case 'x':
      case 'X':
      case 'o':
        return put_integer(spec, type, whole(take(), false));
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return put_real(spec, type, take());
      default:
        fail("unsupported format character '" + std::string(1, type) + "'");
    }
  }

  std::string shown(char type, const Value& value) {
    std::string text = type == 's' ? to_text(heap_, value) : repr(heap_, value);
    if (type == 'a') text = escape_non_ascii(text);
    const bool safe = value.is_string() && value.get<Text>().markup && type == 's';
    return escaping_ && !safe ? escape_html(text) : text;
  }

  static std::string character(const Value& value) {
    std::string out;
    if (value.is_string() && value.get<Text>().chars == 1) return value.get<Text>().text;
    if (!value.is_int()) fail("%c requires int or char");
    const int64_t c = value.as_int();
    if (c < 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) fail("%c arg not in range(0x110000)");
    base::append_utf8(out, static_cast<uint32_t>(c));
    return out;
  }

  static int64_t whole(const Value& value, bool from_real) {
    if (value.is_undefined()) fail_undefined(value);
    if (value.is_int()) return value.as_int();
    if (!value.is(Type::real) || !from_real) fail("a number is required, not " + std::string(type_name(value)));
    const double v = value.as_real();
    if (!(std::fabs(v) < 9.2e18)) fail("the number does not fit into 64 bits");
    return static_cast<int64_t>(v);
  }

  void put_text(const Spec& spec, std::string text) {
    if (spec.precision >= 0) text.resize(byte_offset(text, static_cast<size_t>(spec.precision)));
    pad(spec, "", text, false);
  }

  void put_integer(const Spec& spec, char type, int64_t value) {
    const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
    char buffer[32];
    const int base = type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
    std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
    if (type == 'X') digits = to_upper(digits);
    if (spec.precision > 0 && digits.size() < static_cast<size_t>(spec.precision))
      digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
    std::string prefix = sign(spec, value < 0);
    if (spec.alternate && base != 10) prefix += type == 'o' ? "0o" : type == 'x' ? "0x" : "0X";
    pad(spec, prefix, digits, true);
  }

  void put_real(const Spec& spec, char type, const Value& value) {
    if (value.is_undefined()) fail_undefined(value);
    if (!value.is_number()) fail("must be real number, not " + std::string(type_name(value)));
    const double v = value.as_real();
    const char style = static_cast<char>(type | 32);
    std::string digits = format_digits(v, style, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
    if (type != style) digits = to_upper(digits);
    pad(spec, sign(spec, std::signbit(v) && !std::isnan(v)), digits, true);
  }

  static std::string sign(const Spec& spec, bool negative) {
    return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  }

  void pad(const Spec& spec, const std::string& prefix, const std::string& body, bool number) {
    const size_t size = prefix.size() + count_chars(body);
    const size_t missing = static_cast<size_t>(spec.width) > size ? static_cast<size_t>(spec.width) - size : 0;
    grow(heap_, out_, prefix.size() + body.size() + missing);
    const bool zeros = spec.zero && number && !spec.left;
    if (!spec.left && !zeros) out_.append(missing, ' ');
    out_ += prefix;
    if (zeros) out_.append(missing, '0');
    out_ += body;
    if (spec.left) out_.append(missing, ' ');
  }

  Heap& heap_;
  std::string_view text_;
  const Value& args_;
  size_t count_ = 1;
  size_t used_ = 0;
  size_t at_ = 0;
  bool escaping_ = false, has_key_ = false, keyed_ = false;
  Value key_value_;
  std::string out_;
};

}  // namespace

std::string format_percent(Heap& heap, const Text& format, const Value& args) {
  return Percent(heap, format, args).run();
}

}  // namespace ingle::jinja
