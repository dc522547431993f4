// A calculator's expressions. Grammar:
//   sum      = product (("+" | "-") product)*
//   product  = share (("*" | "/" | "%") share)*            a % b is the remainder, with the sign of b
//   share    = unary ("%" "of" unary)*                     15% of 80
//   unary    = ("-" | "+") unary | power
//   power    = factorial (("^" | "**") unary)?             from the right: 2^3^2 = 2^9; -2^2 = -4
//   factorial = primary "!"?
//   primary  = number | constant | function "(" sum ("," sum)* ")" | "(" sum ")"
// Also × · ÷ −, and π and τ. What could mean two things (1,000, 80 + 15%, 2pi, 3!!) is refused with a word on how to
// write it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::assistant {

inline constexpr size_t max_expression_bytes = 1000;
inline constexpr size_t max_expression_depth = 64;

struct Calculated {
  std::string text;    ///< at most 3012 characters: an integer in full, or 30 digits
  bool exact = false;  ///< nothing was rounded
};

/// Errors, each with the place (characters from 1): invalid_argument (no expression, no such value), limit_exceeded
/// (too long, too deep, too large). Never throws; takes milliseconds, whatever the text is.
base::Result<Calculated> calculate(std::string_view expression);

}  // namespace ingle::assistant
