// The calculator's numbers. A number is a fraction, and so exact, until it gets too long or a function leaves the
// fractions; from there on it is a decimal of 100 digits, of which 30 are shown. What is shown of a decimal that came
// near zero by cancellation would be noise, so such a difference is zero.
#pragma once

#include <boost/multiprecision/cpp_dec_float.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::assistant {

class Number {
 public:
  using Integer =
      boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;
  using Decimal =
      boost::multiprecision::number<boost::multiprecision::cpp_dec_float<100>, boost::multiprecision::et_off>;

  /// Of a fraction: 3011 digits above the line, 308 below it. What is longer is rounded.
  static constexpr unsigned numerator_bits = 10000, denominator_bits = 1024;
  /// Numbers lie between 10^-1000000 and 10^1000000, or are zero.
  static constexpr int64_t max_order = 1000000;
  static constexpr size_t shown_digits = 30;

  Number() = default;  ///< 0
  explicit Number(int64_t integer) : numerator_(integer) {}
  /// The denominator is not 0.
  static Number of(Integer numerator, Integer denominator = 1);
  /// Errors: limit_exceeded where it is too large or too near zero.
  static base::Result<Number> rounded(Decimal value);
  /// Digits, with a point and an exponent ("1.5e-3"), as the expression's grammar allows it. Errors: limit_exceeded.
  static base::Result<Number> parse(std::string_view literal);

  bool exact() const { return exact_; }
  bool is_zero() const { return exact_ ? numerator_ == 0 : decimal_ == 0; }
  bool negative() const { return exact_ ? numerator_ < 0 : decimal_ < 0; }
  /// Of an exact number.
  const Integer& numerator() const { return numerator_; }
  const Integer& denominator() const { return denominator_; }
  Decimal decimal() const;
  /// The integer that it is; of a rounded one, that it is but for rounding.
  std::optional<Integer> integer() const;
  Number negated() const;

  /// An exact integer in full, else at most `shown_digits` digits, halves away from zero.
  struct Shown {
    std::string text;
    bool exact;  ///< the text is the number
  };
  Shown show() const;

 private:
  bool exact_ = true;
  Integer numerator_ = 0, denominator_ = 1;
  Decimal decimal_ = 0;
};

/// -1, 0 or 1.
int compare(const Number& a, const Number& b);

/// Errors of all of these: invalid_argument (there is no such value), limit_exceeded (it is too large or too small).
base::Result<Number> add(const Number& a, const Number& b);
base::Result<Number> multiply(const Number& a, const Number& b);
base::Result<Number> divide(const Number& a, const Number& b);
/// a - b * floor(a / b): it has the sign of b.
base::Result<Number> modulo(const Number& a, const Number& b);
base::Result<Number> power(const Number& a, const Number& b);
/// Of whole numbers from 0 to 1000.
base::Result<Number> factorial(const Number& a);

/// The largest integer that is not above a.
base::Result<Number> floor_of(const Number& a);
/// The degree-th root of a number that is not negative.
base::Result<Number> root(const Number& a, unsigned degree);
/// The natural logarithm of a positive number.
Number::Decimal natural_log(const Number& a);

/// e^x, or -e^x.
base::Result<Number> exponential(const Number::Decimal& x, bool negative = false);

/// Whether `value` is nothing but the rounding of numbers as large as `scale`.
bool is_noise(const Number::Decimal& value, const Number::Decimal& scale);

}  // namespace ingle::assistant
