// Reading and checking the values of options.
#include "cli/option.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/utf8.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Error bad(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// 0.5 as "0.5" and 3 as "3".
std::string show_number(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string range_text(const Option& option) {
  const bool low = option.minimum > std::numeric_limits<double>::lowest();
  const bool high = option.maximum < std::numeric_limits<double>::max();
  std::string kind = option.type == ValueType::integer ? "a whole number" : "a number";
  const std::string minimum = (option.above_minimum ? " above " : " from ") + show_number(option.minimum);
  if (low && high)
    return kind + minimum + (option.above_minimum ? " and up to " : " to ") + show_number(option.maximum);
  if (low) return kind + (option.above_minimum ? minimum : ", " + show_number(option.minimum) + " or more");
  if (high) return kind + " up to " + show_number(option.maximum);
  return kind;
}

Status check_range(const Option& option, double value, const std::string& what) {
  const bool low = option.above_minimum ? value > option.minimum : value >= option.minimum;
  if (low && value <= option.maximum) return {};
  return bad(what + " is out of range; give " + range_text(option));
}

Status check_choice(const Option& option, std::string_view text, const std::string& what) {
  std::string_view rest = option.choices;
  while (!rest.empty()) {
    const size_t space = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, space) == text) return {};
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  std::string list(option.choices);
  for (size_t at = list.find(' '); at != std::string::npos; at = list.find(' ', at + 2)) list.replace(at, 1, ", ");
  return bad(what + " is not one of: " + list);
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return bad("not true or false");
}

Result<double> parse_number(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size() || !std::isfinite(value)) {
    return bad("not a number");
  }
  return value;
}

Result<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool all = result.ptr == text.data() + text.size();
  if (all && result.ec == std::errc::result_out_of_range) return Error{ErrorCode::limit_exceeded, "out of range"};
  if (!all || result.ec != std::errc{}) return bad("not a whole number");
  return value;
}

Result<uint64_t> parse_bytes(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || !std::isfinite(value) || value < 0) return bad("not a size");
  std::string unit = lower(std::string_view(result.ptr, static_cast<size_t>(text.data() + text.size() - result.ptr)));
  if (unit.ends_with("ib")) {
    unit.resize(unit.size() - 2);
  } else if (unit.ends_with("b")) {
    unit.resize(unit.size() - 1);
  }
  constexpr std::string_view units = "kmgt";
  double scale = 1;
  if (!unit.empty()) {
    const size_t power = units.find(unit);
    if (unit.size() != 1 || power == std::string_view::npos) return bad("not a size");
    scale = std::pow(1024.0, static_cast<double>(power) + 1);
  }
  if (value * scale > 9e18) return bad("too large");
  return static_cast<uint64_t>(value * scale);
}

Status check_value(const Option& option, std::string_view text, std::string_view where) {
  const std::string what = std::string(where) + ": '" + std::string(text) + "'";
  switch (option.type) {
    case ValueType::flag:
    case ValueType::toggle:
      if (!parse_bool(text)) return bad(what + " is neither true nor false");
      break;
    case ValueType::text:
      break;
    case ValueType::path:
    case ValueType::model:
      if (text.find('\0') != std::string_view::npos) return bad(what + " holds a zero byte");
      break;
    case ValueType::integer: {
      const auto value = parse_integer(text);
      const bool huge = !value && value.error().code == ErrorCode::limit_exceeded;
      if (!value)
        return bad(what + (huge ? " is out of range" : " is not a whole number") + "; give " + range_text(option));
      INGLE_CHECK(check_range(option, static_cast<double>(*value), what));
      break;
    }
    case ValueType::number: {
      const auto value = parse_number(text);
      if (!value) return bad(what + " is not a number; give " + range_text(option));
      INGLE_CHECK(check_range(option, *value, what));
      break;
    }
    case ValueType::bytes:
      if (!parse_bytes(text)) return bad(what + " is not a size; give bytes or a number with K, M, G or T");
      break;
    case ValueType::choice:
      INGLE_CHECK(check_choice(option, text, what));
      break;
  }
  if (option.check != nullptr) {
    if (const Status status = option.check(text); !status) return bad(what + " " + status.error().message);
  }
  return {};
}

std::string environment_name(std::string_view option_name) {
  std::string name = "INGLE_";
  for (const char c : option_name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  // Only names and short words are compared; a pasted page must not cost its square.
  if (std::max(a.size(), b.size()) > 64) return 64;
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace ingle::cli
