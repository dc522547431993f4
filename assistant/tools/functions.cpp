#include "assistant/tools/functions.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Arguments = std::span<const Number>;
using Decimal = Number::Decimal;
using Integer = Number::Integer;

constexpr size_t kAny = std::numeric_limits<size_t>::max();
constexpr int kMaxPlaces = 100;

Error no_value(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}

const Decimal& pi() {
  static const Decimal value = acos(Decimal(-1));
  return value;
}

Number constant(Decimal value) {
  return Number::rounded(std::move(value)).value();
}

bool is_exactly(const Number& x, int value) {
  return x.exact() && compare(x, Number(value)) == 0;
}

Result<Number> absolute(Arguments x) {
  return x[0].negative() ? x[0].negated() : x[0];
}

// Rounding

Result<Number> floor_call(Arguments x) {
  return floor_of(x[0]);
}

Result<Number> ceil_call(Arguments x) {
  INGLE_TRY(const Number below, floor_of(x[0].negated()));
  return below.negated();
}

Result<Number> trunc(Arguments x) {
  return x[0].negative() ? ceil_call(x) : floor_call(x);
}

/// Halves away from zero, as people round.
Result<Number> round_call(Arguments x) {
  Number scale(1);
  if (x.size() == 2) {
    const std::optional<Integer> places = x[1].integer();
    if (!places || abs(*places) > kMaxPlaces)
      return no_value("round(x, digits) takes a whole number of digits from -100 to 100");
    INGLE_TRY(scale, power(Number(10), Number::of(*places)));
  }
  const bool negative = x[0].negative();
  INGLE_TRY(const Number scaled, multiply(negative ? x[0].negated() : x[0], scale));
  INGLE_TRY(const Number half_up, add(scaled, Number::of(1, 2)));
  INGLE_TRY(const Number whole, floor_of(half_up));
  INGLE_TRY(const Number out, divide(whole, scale));
  return negative ? out.negated() : out;
}

// Roots, powers, logarithms

Result<Number> square_root(Arguments x) {
  if (x[0].negative()) return no_value("the square root of a negative number is no real number");
  return root(x[0], 2);
}

Result<Number> cube_root(Arguments x) {
  if (!x[0].negative()) return root(x[0], 3);
  INGLE_TRY(const Number out, root(x[0].negated(), 3));
  return out.negated();
}

Result<Number> exp_call(Arguments x) {
  return is_exactly(x[0], 0) ? Number(1) : exponential(x[0].decimal());
}

Result<Number> log_to(const Number& x, const Number& base) {
  if (x.is_zero() || x.negative()) return no_value("only positive numbers have a logarithm");
  if (base.is_zero() || base.negative() || compare(base, Number(1)) == 0)
    return no_value("the base of a logarithm is positive and not 1");
  if (is_exactly(x, 1)) return Number();
  INGLE_TRY(const Number out, Number::rounded(natural_log(x) / natural_log(base)));
  const std::optional<Integer> whole = x.exact() && base.exact() ? out.integer() : std::nullopt;
  if (!whole) return out;
  INGLE_TRY(const Number back, power(base, Number::of(*whole)));
  return back.exact() && compare(back, x) == 0 ? Number::of(*whole) : out;
}

Result<Number> log_call(Arguments x) {
  if (x.size() == 1) return no_value("log(x) has two meanings; write ln(x), log10(x) or log(x, base)");
  return log_to(x[0], x[1]);
}

Result<Number> log10_call(Arguments x) {
  return log_to(x[0], Number(10));
}

Result<Number> log2_call(Arguments x) {
  return log_to(x[0], Number(2));
}

Result<Number> ln(Arguments x) {
  if (x[0].is_zero() || x[0].negative()) return no_value("only positive numbers have a logarithm");
  return is_exactly(x[0], 1) ? Number() : Number::rounded(natural_log(x[0]));
}

// Angles, in radians

/// Beyond, too few of an angle's digits are left after full turns.
Result<Decimal> angle(const Number& x) {
  static const Decimal most("1e30");
  Decimal value = x.decimal();
  if (abs(value) > most) return Error{ErrorCode::limit_exceeded, "angles are at most 1e30 radians"};
  return value;
}

Decimal without_noise(const Decimal& value, const Decimal& angle) {
  return is_noise(value, std::max<Decimal>(abs(angle), 1)) && angle != 0 ? Decimal(0) : value;
}

Result<Number> sine(Arguments x) {
  if (is_exactly(x[0], 0)) return Number();
  INGLE_TRY(const Decimal radians, angle(x[0]));
  if (abs(radians) < Decimal("1e-40")) return Number::rounded(radians);  // it differs by a sixth of the cube
  return Number::rounded(without_noise(sin(radians), radians));
}

Result<Number> cosine(Arguments x) {
  if (is_exactly(x[0], 0)) return Number(1);
  INGLE_TRY(const Decimal radians, angle(x[0]));
  return Number::rounded(without_noise(cos(radians), radians));
}

Result<Number> tangent(Arguments x) {
  INGLE_TRY(const Number over, sine(x));
  INGLE_TRY(const Number under, cosine(x));
  if (under.is_zero()) return no_value("the tangent has no value here, at a quarter of a turn");
  return divide(over, under);
}

Result<Decimal> ratio(const Number& x, std::string_view name) {
  const Decimal value = x.decimal();
  if (abs(value) <= 1) return value;
  if (is_noise(Decimal(abs(value) - 1), 1) && !x.exact()) return Decimal(value < 0 ? -1 : 1);
  return no_value(std::string(name) + "(x) has a value for x from -1 to 1");
}

Result<Number> arcsine(Arguments x) {
  if (is_exactly(x[0], 0)) return Number();
  INGLE_TRY(const Decimal value, ratio(x[0], "asin"));
  if (abs(value) < Decimal("1e-40")) return Number::rounded(value);
  return Number::rounded(asin(value));
}

Result<Number> arccosine(Arguments x) {
  if (is_exactly(x[0], 1)) return Number();
  INGLE_TRY(const Decimal value, ratio(x[0], "acos"));
  return Number::rounded(acos(value));
}

Result<Number> arctangent(Arguments x) {
  if (is_exactly(x[0], 0)) return Number();
  const Decimal value = x[0].decimal();
  if (abs(value) < Decimal("1e-40")) return Number::rounded(value);
  return Number::rounded(atan(value));
}

Result<Number> degrees(Arguments x) {
  INGLE_TRY(const Number half_turns, divide(x[0], constant(pi())));
  return multiply(half_turns, Number(180));
}

Result<Number> radians(Arguments x) {
  INGLE_TRY(const Number half_turns, divide(x[0], Number(180)));
  return multiply(half_turns, constant(pi()));
}

// Many numbers

Result<Number> least(Arguments x) {
  return *std::ranges::min_element(x, [](const Number& a, const Number& b) { return compare(a, b) < 0; });
}

Result<Number> largest(Arguments x) {
  return *std::ranges::max_element(x, [](const Number& a, const Number& b) { return compare(a, b) < 0; });
}

Result<Number> sum(Arguments x) {
  Number total;
  for (const Number& one : x) {
    INGLE_TRY(total, add(total, one));
  }
  return total;
}

Result<Number> mean(Arguments x) {
  INGLE_TRY(const Number total, sum(x));
  return divide(total, Number(static_cast<int64_t>(x.size())));
}

Result<Number> fold_integers(Arguments x, Integer first, Integer (*fold)(const Integer&, const Integer&)) {
  bool exact = true;
  Number out = Number::of(std::move(first));
  for (const Number& one : x) {
    const std::optional<Integer> integer = one.integer();
    if (!integer) return no_value("gcd and lcm take whole numbers");
    exact = exact && one.exact();
    out = Number::of(fold(out.numerator(), *integer));
    if (!out.exact())
      return Error{ErrorCode::limit_exceeded, "this multiple has more than 3010 digits; take fewer numbers"};
  }
  return exact ? out : Number::rounded(out.decimal());
}

Result<Number> greatest_divisor(Arguments x) {
  return fold_integers(x, 0, [](const Integer& a, const Integer& b) { return Integer(gcd(a, b)); });
}

Result<Number> least_multiple(Arguments x) {
  return fold_integers(x, 1, [](const Integer& a, const Integer& b) {
    return a == 0 || b == 0 ? Integer(0) : Integer(abs(a) / gcd(a, b) * abs(b));
  });
}

constexpr Function functions[] = {
    {.name = "abs", .form = "abs(x)", .call = absolute},
    {.name = "acos", .form = "acos(x)", .call = arccosine},
    {.name = "asin", .form = "asin(x)", .call = arcsine},
    {.name = "atan", .form = "atan(x)", .call = arctangent},
    {.name = "cbrt", .form = "cbrt(x)", .call = cube_root},
    {.name = "ceil", .form = "ceil(x)", .call = ceil_call},
    {.name = "cos", .form = "cos(x)", .call = cosine},
    {.name = "deg", .form = "deg(radians)", .call = degrees},
    {.name = "exp", .form = "exp(x)", .call = exp_call},
    {.name = "floor", .form = "floor(x)", .call = floor_call},
    {.name = "gcd", .form = "gcd(a, b, ...)", .most = kAny, .call = greatest_divisor},
    {.name = "lcm", .form = "lcm(a, b, ...)", .most = kAny, .call = least_multiple},
    {.name = "ln", .form = "ln(x)", .call = ln},
    {.name = "log", .form = "log(x, base)", .most = 2, .call = log_call},
    {.name = "log10", .form = "log10(x)", .call = log10_call},
    {.name = "log2", .form = "log2(x)", .call = log2_call},
    {.name = "max", .form = "max(a, b, ...)", .most = kAny, .call = largest},
    {.name = "mean", .form = "mean(a, b, ...)", .most = kAny, .call = mean},
    {.name = "min", .form = "min(a, b, ...)", .most = kAny, .call = least},
    {.name = "rad", .form = "rad(degrees)", .call = radians},
    {.name = "round", .form = "round(x) or round(x, digits)", .most = 2, .call = round_call},
    {.name = "sin", .form = "sin(x)", .call = sine},
    {.name = "sqrt", .form = "sqrt(x)", .call = square_root},
    {.name = "sum", .form = "sum(a, b, ...)", .most = kAny, .call = sum},
    {.name = "tan", .form = "tan(x)", .call = tangent},
    {.name = "trunc", .form = "trunc(x)", .call = trunc},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* found = std::ranges::find(functions, name, &Function::name);
  return found == std::end(functions) ? nullptr : found;
}

std::span<const Function> all_functions() {
  return functions;
}

std::optional<Number> find_constant(std::string_view name) {
  if (name == "pi") return constant(pi());
  if (name == "tau") return constant(Decimal(pi() * 2));
  if (name == "e") return constant(exp(Decimal(1)));
  return std::nullopt;
}

std::string known_names() {
  std::string text;
  for (const Function& function : functions) text += std::string(function.name) + ", ";
  return text + "pi, e and tau";
}

}  // namespace ingle::assistant
