// JSON numbers in a range, as automata.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/grammar/automaton.h"

namespace ingle::grammar {

/// A decimal number, exactly.
struct Decimal {
  bool negative = false;    ///< false for zero
  std::string whole = "0";  ///< digits without leading zeros, at least one
  std::string fraction;     ///< digits without trailing zeros
  bool is_zero() const { return whole == "0" && fraction.empty(); }
};

/// From JSON's text of a number. Nothing where its exponent is beyond 400.
std::optional<Decimal> parse_decimal(std::string_view text);
/// Without exponent.
std::string to_text(const Decimal& number);
/// Less than 0, 0, more than 0.
int compare(const Decimal& a, const Decimal& b);
/// Whether a is an integer times b.
std::optional<bool> is_multiple(const Decimal& a, const Decimal& b);

struct NumberRange {
  bool integer = false;
  std::optional<Decimal> low, high;
  bool low_open = false, high_open = false;  ///< the bound itself is out
  std::optional<Decimal> multiple_of;
};

/// The numbers of the range, without exponent where there is a bound or a multiple; up to 18 digits before the point
/// (more where a bound has more) and 17 behind it. No leading zeros, no -0. Errors: unsupported, limit_exceeded.
Automaton number_automaton(const NumberRange& range, Budget& budget);

}  // namespace ingle::grammar
