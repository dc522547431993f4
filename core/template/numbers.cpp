// Reading and rounding numbers as Python does.
#include "core/template/numbers.h"

#include <charconv>
#include <cmath>
#include <string>

#include "core/template/unicode.h"
#include "core/template/value.h"

namespace ingle::jinja {
namespace {

// Strips whitespace, turns all decimal digits into ASCII; nothing if other non-ASCII characters remain.
std::optional<std::string> ascii_number(std::string_view text) {
  std::string out;
  for (const uint32_t c : code_points(strip(text))) {
    const int digit = decimal_value(c);
    if (digit >= 0)
      out += static_cast<char>('0' + digit);
    else if (c < 128 && c != 0)
      out += static_cast<char>(c);
    else
      return std::nullopt;
  }
  return out;
}

// Underscores may stand singly between digits.
bool drop_underscores(std::string& text, bool hex) {
  const auto digit = [hex](char c) {
    const char l = static_cast<char>(c | 32);
    return (c >= '0' && c <= '9') || (hex && l >= 'a' && l <= 'z');
  };
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '_' && (i == 0 || i + 1 == text.size() || !digit(text[i - 1]) || !digit(text[i + 1]))) return false;
  std::erase(text, '_');
  return true;
}

int64_t prefix_base(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') return 0;
  const char c = static_cast<char>(digits[1] | 32);
  return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  auto digits = ascii_number(text);
  if (!digits) return std::nullopt;
  const bool negative = digits->starts_with('-');
  if (negative || digits->starts_with('+')) digits->erase(0, 1);
  const int64_t named = prefix_base(*digits);
  if (named != 0 && (base == 0 || base == named)) {
    base = named;
    digits->erase(0, 2);
    if (digits->starts_with('_')) digits->erase(0, 1);
  } else if (base == 0) {
    base = 10;
    if (digits->size() > 1 && (*digits)[0] == '0' && digits->find_first_not_of("0_") != digits->npos)
      return std::nullopt;
  }
  if (digits->empty() || !drop_underscores(*digits, base > 10)) return std::nullopt;
  if (negative) digits->insert(0, "-");
  int64_t out = 0;
  const char* end = digits->data() + digits->size();
  const auto [last, error] = std::from_chars(digits->data(), end, out, static_cast<int>(base));
  if (last != end || (negative && digits->size() == 1) || digits->find('-', 1) != digits->npos) return std::nullopt;
  if (error == std::errc::result_out_of_range) fail("the number " + *digits + " does not fit into 64 bits");
  return error == std::errc() ? std::optional(out) : std::nullopt;
}

std::optional<double> parse_real(std::string_view text) {
  auto digits = ascii_number(text);
  if (!digits) return std::nullopt;
  const bool negative = digits->starts_with('-');
  if (negative || digits->starts_with('+')) digits->erase(0, 1);
  if (digits->empty() || !drop_underscores(*digits, false)) return std::nullopt;
  const std::string low = to_lower(*digits);
  double out = 0;
  if (low == "inf" || low == "infinity") {
    out = HUGE_VAL;
  } else if (low == "nan") {
    out = std::nan("");
  } else {
    if (low.find_first_not_of("0123456789.e+-") != low.npos || low[0] == '-' || low[0] == '+') return std::nullopt;
    const char* end = low.data() + low.size();
    const auto [last, error] = std::from_chars(low.data(), end, out);
    if (last != end || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
      const size_t e = low.find('e');
      out = e != low.npos && low[e + 1] == '-' ? 0.0 : HUGE_VAL;
    }
  }
  return negative ? -out : out;
}

double round_real(double value, int64_t places) {
  if (!std::isfinite(value) || places > 323) return value;
  if (places < -308) return std::copysign(0.0, value);
  char buffer[800];
  if (places >= 0) {
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, static_cast<int>(places)).ptr;
    double out = 0;
    std::from_chars(buffer, end, out);
    return out;
  }
  const double unit = std::pow(10.0, static_cast<double>(-places));
  return std::nearbyint(value / unit) * unit;
}

int64_t round_integer(int64_t value, int64_t places) {
  if (places >= 0) return value;
  if (places < -18) return 0;
  int64_t unit = 1;
  for (int64_t i = 0; i < -places; ++i) unit *= 10;
  const int64_t rest = ((value % unit) + unit) % unit;
  const Wide low = static_cast<Wide>(value) - rest;
  const bool up = rest * 2 > unit || (rest * 2 == unit && (low / unit) % 2 != 0);
  const Wide out = low + (up ? unit : 0);
  if (out > INT64_MAX || out < INT64_MIN) fail("integer overflow: numbers are limited to 64 bits here");
  return static_cast<int64_t>(out);
}

}  // namespace ingle::jinja
