#include "assistant/tools/number.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Integer = Number::Integer;
using Decimal = Number::Decimal;

constexpr unsigned kMaxFactorial = 1000;
/// Degrees whose roots are tried as fractions first.
constexpr unsigned kMaxDegree = 64;

Error no_value(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}

Error too_large() {
  return {ErrorCode::limit_exceeded, "the result has more than a million digits; calculate with logarithms instead"};
}

Error too_small() {
  return {ErrorCode::limit_exceeded,
          "the result is nearer to zero than 10^-1000000; calculate with logarithms instead"};
}

/// 0 for 0.
unsigned bits(const Integer& value) {
  return value == 0 ? 0 : static_cast<unsigned>(msb(abs(value))) + 1;
}

Integer integer_power(const Integer& base, unsigned exponent) {
  return pow(base, exponent);
}

/// Of a long integer its first 420 bits, 126 digits: many times as fast as Boost's conversion.
Decimal to_decimal(const Integer& value) {
  constexpr unsigned kEnough = 420;
  const unsigned count = bits(value);
  if (count <= kEnough) return Decimal(value.str());
  const unsigned left_out = count - kEnough;
  const Decimal size = ldexp(Decimal(Integer(abs(value) >> left_out).str()), static_cast<int>(left_out));
  return value < 0 ? Decimal(-size) : size;
}

/// Digits without zeros at either end, the first of which stands for 10^order; none for 0.
struct Digits {
  std::string digits;
  int64_t order = 0;
};

Digits digits_of(const Integer& value) {
  std::string text = abs(value).str();
  const auto order = static_cast<int64_t>(text.size()) - 1;
  text.erase(text.find_last_not_of('0') + 1);
  return {std::move(text), order};
}

Digits digits_of(const Decimal& value) {
  std::string text = abs(value).str(100, std::ios_base::scientific);  // d.ddd…e+x
  const size_t e = text.find('e');
  const int64_t order = std::stoll(text.substr(e + 1));
  text.resize(e);
  std::erase(text, '.');
  text.erase(text.find_last_not_of('0') + 1);
  return {std::move(text), order};
}

/// Halves away from zero.
void round_to(Digits& value, size_t count) {
  if (value.digits.size() <= count) return;
  const bool up = value.digits[count] >= '5';
  value.digits.resize(count);
  if (up) {
    while (!value.digits.empty() && value.digits.back() == '9') value.digits.pop_back();
    if (value.digits.empty()) {
      value.digits = "1";
      ++value.order;
    } else {
      ++value.digits.back();
    }
  }
  value.digits.erase(value.digits.find_last_not_of('0') + 1);
}

std::string layout(bool negative, const Digits& value) {
  const std::string& digits = value.digits;
  if (digits.empty()) return "0";
  std::string out = negative ? "-" : "";
  const auto count = static_cast<int64_t>(digits.size());
  if (value.order >= static_cast<int64_t>(Number::shown_digits) || value.order < -6) {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    return out + "e" + std::to_string(value.order);
  }
  if (value.order < 0) return out + "0." + std::string(static_cast<size_t>(-value.order - 1), '0') + digits;
  const auto whole = static_cast<size_t>(value.order) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

/// How many decimals the fraction has, if it ends.
std::optional<unsigned> decimals(Integer denominator) {
  const auto twos = static_cast<unsigned>(lsb(denominator));
  denominator >>= twos;
  unsigned fives = 0;
  for (; denominator % 5 == 0; ++fives) denominator /= 5;
  if (denominator != 1) return std::nullopt;
  return std::max(twos, fives);
}

/// The root of an integer that is not negative, if it is one.
std::optional<Integer> integer_root(const Integer& value, unsigned degree) {
  if (value <= 1) return value;
  if (bits(value) <= degree) return std::nullopt;     // it lies between 1 and 2
  if (lsb(value) % degree != 0) return std::nullopt;  // a power has each prime so many times; the rest is slow
  const Decimal guess =
      degree == 2 ? Decimal(sqrt(to_decimal(value))) : Decimal(exp(Decimal(natural_log(Number::of(value)) / degree)));
  const Digits digits = digits_of(guess);
  Integer root(digits.digits);
  const int64_t shift = digits.order + 1 - static_cast<int64_t>(digits.digits.size());
  const Integer scale = integer_power(10, static_cast<unsigned>(std::abs(shift)));
  root = shift >= 0 ? Integer(root * scale) : Integer((root + scale / 2) / scale);
  // Newton's steps double the 100 digits until all are right.
  for (int step = 0; step < 8; ++step) {
    const Integer below = integer_power(root, degree - 1);
    if (below * root == value) return root;
    Integer next = (root * (degree - 1) + value / below) / degree;
    if (next == root) return std::nullopt;
    root = std::move(next);
  }
  return std::nullopt;
}

/// ln(1 + x) for |x| < 1e-10, where ln of a sum would lose the digits of x.
Decimal log_near_one(const Decimal& x) {
  Decimal sum = 0, term = x;
  for (int n = 1; n <= 12; ++n) {
    sum += term / n;
    term *= -x;
  }
  return sum;
}

/// a to an integer power as a fraction, or nothing where that gets too long.
std::optional<Number> exact_power(const Number& a, const Integer& exponent) {
  const Integer &n = a.numerator(), &d = a.denominator();
  if (d == 1 && abs(n) == 1) return Number(n < 0 && exponent % 2 != 0 ? -1 : 1);
  if (abs(exponent) > Number::numerator_bits) return std::nullopt;
  const auto times = abs(exponent).convert_to<unsigned>();
  // A number of b bits to the t-th power has more than (b - 1) t bits.
  if (uint64_t{std::max(bits(n), bits(d)) - 1} * times > Number::numerator_bits) return std::nullopt;
  Integer numerator = integer_power(n, times), denominator = integer_power(d, times);
  if (exponent < 0) std::swap(numerator, denominator);
  return Number::of(std::move(numerator), std::move(denominator));
}

/// |a|^b by logarithms, a != 0.
Result<Number> power_by_logs(const Number& a, const Number& b, bool negative) {
  return exponential(natural_log(a.negative() ? a.negated() : a) * b.decimal(), negative);
}

}  // namespace

bool is_noise(const Decimal& value, const Decimal& scale) {
  static const Decimal noise("1e-90");
  return abs(value) <= abs(scale) * noise;
}

Number Number::of(Integer numerator, Integer denominator) {
  if (denominator != 1) {
    // The remainder first: the numerator may be many times as long.
    const Integer common = gcd(Integer(numerator % denominator), denominator);
    numerator /= common;
    denominator /= common;
    if (denominator < 0) {
      numerator = -numerator;
      denominator = -denominator;
    }
  }
  Number out;
  if (bits(numerator) > numerator_bits || bits(denominator) > denominator_bits) {
    out.exact_ = false;
    out.decimal_ = to_decimal(numerator) / to_decimal(denominator);
    return out;
  }
  out.numerator_ = std::move(numerator);
  out.denominator_ = std::move(denominator);
  return out;
}

Result<Number> Number::rounded(Decimal value) {
  if (!isfinite(value)) return too_large();
  if (value != 0 && value.backend().order() > max_order) return too_large();
  if (value != 0 && value.backend().order() < -max_order) return too_small();
  Number out;
  out.exact_ = false;
  out.decimal_ = std::move(value);
  return out;
}

Result<Number> Number::parse(std::string_view literal) {
  const size_t e = std::min(literal.find_first_of("eE"), literal.size());
  std::string digits(literal.substr(0, e));
  std::string_view exponent_text = literal.substr(std::min(e + 1, literal.size()));
  const size_t point = std::min(digits.find('.'), digits.size());
  int64_t exponent = point < digits.size() ? static_cast<int64_t>(point + 1) - static_cast<int64_t>(digits.size()) : 0;
  std::erase(digits, '.');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return Number();

  const bool below = exponent_text.starts_with('-');
  if (below || exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
  exponent_text.remove_prefix(std::min(exponent_text.find_first_not_of('0'), exponent_text.size()));
  if (exponent_text.size() > 7) return below ? too_small() : too_large();
  const int64_t shift = exponent_text.empty() ? 0 : std::stoll(std::string(exponent_text));
  exponent += below ? -shift : shift;

  const size_t zeros = digits.size() - 1 - digits.find_last_not_of('0');
  digits.resize(digits.size() - zeros);
  exponent += static_cast<int64_t>(zeros);
  if (exponent >= 0 && exponent <= 3100)
    return of(Integer(digits) * integer_power(10, static_cast<unsigned>(exponent)));
  if (exponent < 0 && exponent >= -1100)
    return of(Integer(digits), integer_power(10, static_cast<unsigned>(-exponent)));
  return rounded(Decimal(digits + "e" + std::to_string(exponent)));
}

Decimal Number::decimal() const {
  if (!exact_) return decimal_;
  return denominator_ == 1 ? to_decimal(numerator_) : Decimal(to_decimal(numerator_) / to_decimal(denominator_));
}

std::optional<Integer> Number::integer() const {
  if (exact_) return denominator_ == 1 ? std::optional(numerator_) : std::nullopt;
  if (decimal_.backend().order() > 80) return std::nullopt;  // its digits after the point are not known
  const Decimal nearest = round(decimal_);
  if (!is_noise(Decimal(decimal_ - nearest), std::max<Decimal>(abs(decimal_), 1))) return std::nullopt;
  if (nearest == 0) return Integer(0);
  const Digits digits = digits_of(nearest);
  const int64_t zeros = digits.order + 1 - static_cast<int64_t>(digits.digits.size());
  const Integer value = Integer(digits.digits) * integer_power(10, static_cast<unsigned>(zeros));
  return nearest < 0 ? Integer(-value) : value;
}

Number Number::negated() const {
  Number out = *this;
  out.numerator_ = -numerator_;
  out.decimal_ = -decimal_;
  return out;
}

Number::Shown Number::show() const {
  if (!exact_) {
    if (decimal_ == 0) return {"0", false};
    Digits digits = digits_of(decimal_);
    round_to(digits, shown_digits);
    return {layout(negative(), digits), false};
  }
  if (denominator_ == 1) return {numerator_.str(), true};
  if (const std::optional<unsigned> places = decimals(denominator_)) {
    Digits digits = digits_of(Integer(numerator_ * integer_power(10, *places) / denominator_));
    digits.order -= *places;
    const bool whole = digits.digits.size() <= shown_digits;
    round_to(digits, shown_digits);
    return {layout(negative(), digits), whole};
  }
  Digits digits = digits_of(decimal());
  round_to(digits, shown_digits);
  return {layout(negative(), digits), false};
}

int compare(const Number& a, const Number& b) {
  if (a.exact() && b.exact()) {
    const Integer left = a.numerator() * b.denominator(), right = b.numerator() * a.denominator();
    return left.compare(right) < 0 ? -1 : left.compare(right) > 0 ? 1 : 0;
  }
  const Decimal left = a.decimal(), right = b.decimal();
  return left < right ? -1 : left > right ? 1 : 0;
}

Result<Number> add(const Number& a, const Number& b) {
  if (a.exact() && b.exact())
    return Number::of(a.numerator() * b.denominator() + b.numerator() * a.denominator(),
                      a.denominator() * b.denominator());
  const Decimal left = a.decimal(), right = b.decimal(), sum = left + right;
  return Number::rounded(is_noise(sum, std::max<Decimal>(abs(left), abs(right))) ? Decimal(0) : sum);
}

Result<Number> multiply(const Number& a, const Number& b) {
  if (a.exact() && b.exact()) return Number::of(a.numerator() * b.numerator(), a.denominator() * b.denominator());
  if ((a.exact() && a.is_zero()) || (b.exact() && b.is_zero())) return Number();
  return Number::rounded(a.decimal() * b.decimal());
}

Result<Number> divide(const Number& a, const Number& b) {
  if (b.is_zero()) return no_value("division by zero");
  if (a.exact() && b.exact()) return Number::of(a.numerator() * b.denominator(), a.denominator() * b.numerator());
  if (a.exact() && a.is_zero()) return Number();
  return Number::rounded(a.decimal() / b.decimal());
}

Result<Number> floor_of(const Number& a) {
  if (a.exact()) {
    Integer quotient, remainder;
    divide_qr(a.numerator(), a.denominator(), quotient, remainder);
    if (remainder < 0) --quotient;
    return Number::of(std::move(quotient));
  }
  if (const auto integer = a.integer()) return Number::rounded(to_decimal(*integer));
  if (a.decimal().backend().order() > 80)
    return Error{ErrorCode::limit_exceeded, "this number is too large to know its digits after the point"};
  return Number::rounded(floor(a.decimal()));
}

Result<Number> modulo(const Number& a, const Number& b) {
  if (b.is_zero()) return no_value("the remainder of a division by zero");
  INGLE_TRY(const Number quotient, divide(a, b));
  INGLE_TRY(const Number whole, floor_of(quotient));
  INGLE_TRY(const Number product, multiply(whole, b));
  return add(a, product.negated());
}

Result<Number> root(const Number& a, unsigned degree) {
  if (a.exact()) {
    const auto numerator = integer_root(a.numerator(), degree);
    const auto denominator = numerator ? integer_root(a.denominator(), degree) : std::nullopt;
    if (denominator) return Number::of(*numerator, *denominator);
  }
  if (a.is_zero()) return a;
  if (degree == 2) return Number::rounded(sqrt(a.decimal()));
  return Number::rounded(exp(Decimal(natural_log(a) / degree)));
}

Result<Number> power(const Number& a, const Number& b) {
  if (b.is_zero()) return b.exact() ? Number(1) : Number::rounded(1);
  if (a.is_zero()) {
    if (b.negative()) return no_value("zero to a negative power is a division by zero");
    return a;
  }
  if (a.exact() && compare(a, Number(1)) == 0) return a;
  const std::optional<Integer> exponent = b.integer();
  if (exponent && a.exact() && b.exact()) {
    if (const auto exact = exact_power(a, *exponent)) return *exact;
  }
  if (exponent) return power_by_logs(a, b, a.negative() && *exponent % 2 != 0);
  if (a.negative())
    return no_value("a negative number to a power that is no whole number has no real value; cbrt(x) gives cube roots");
  if (a.exact() && b.exact() && b.denominator() <= kMaxDegree) {
    INGLE_TRY(const Number base, root(a, b.denominator().convert_to<unsigned>()));
    if (base.exact()) return power(base, Number::of(b.numerator()));
  }
  return power_by_logs(a, b, false);
}

Result<Number> factorial(const Number& a) {
  const std::optional<Integer> integer = a.integer();
  if (!integer || *integer < 0) return no_value("a factorial is of a whole number from 0 on");
  if (*integer > kMaxFactorial) return Error{ErrorCode::limit_exceeded, "factorials are calculated up to 1000!"};
  Integer product = 1;
  const auto last = integer->convert_to<unsigned>();
  for (unsigned factor = 2; factor <= last; ++factor) product *= factor;
  if (a.exact()) return Number::of(std::move(product));
  return Number::rounded(to_decimal(product));
}

Result<Number> exponential(const Decimal& x, bool negative) {
  static const Decimal limit = Decimal(Number::max_order) * Decimal("2.4");  // a little more than ln 10
  if (x > limit) return too_large();
  if (x < -limit) return too_small();
  const Decimal value = exp(x);
  return Number::rounded(negative ? Decimal(-value) : value);
}

Decimal natural_log(const Number& a) {
  static const Decimal ln10 = log(Decimal(10)), near("1e-10");
  if (a.exact() && bits(a.numerator()) <= bits(a.denominator()) + 1) {
    const Decimal beyond_one = Number::of(a.numerator() - a.denominator(), a.denominator()).decimal();
    if (abs(beyond_one) < near) return log_near_one(beyond_one);
  }
  const Decimal value = a.decimal();
  const int64_t order = value.backend().order();
  const Decimal mantissa = value * Decimal("1e" + std::to_string(-order));
  // Halley's steps from a double triple its 15 digits; five times as fast as Boost's logarithm.
  Decimal out = std::log(mantissa.convert_to<double>());
  for (int step = 0; step < 3; ++step) {
    const Decimal there = exp(out);
    out += 2 * (mantissa - there) / (mantissa + there);
  }
  return out + ln10 * order;
}

}  // namespace ingle::assistant
