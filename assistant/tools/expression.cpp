#include "assistant/tools/expression.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "assistant/tools/functions.h"
#include "assistant/tools/number.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class Evaluator {
 public:
  explicit Evaluator(std::string_view text) : text_(text) {}

  Result<Number> run() {
    skip_space();
    if (at_end()) return error("the expression is empty; write one, as in (1 + 2) * 3");
    INGLE_TRY(Number value, sum());
    if (!at_end()) return unexpected();
    return value;
  }

 private:
  Result<Number> sum();
  Result<Number> product();
  Result<Number> share();
  Result<Number> unary();
  Result<Number> unary_within();
  Result<Number> power_of();
  Result<Number> factorial_of();
  Result<Number> primary();
  Result<Number> number();
  Result<Number> name();
  Result<Number> call(const Function& function, size_t place);
  base::Status check_separators(size_t end) const;

  bool at_end() const { return at_ == text_.size(); }
  std::string_view rest() const { return text_.substr(at_); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_space() {
    for (bool more = true; more;) {
      more = false;
      for (const std::string_view space : {" ", "\t", "\n", "\r", "\u00a0", "\u2009", "\u202f"}) {
        if (!rest().starts_with(space)) continue;
        at_ += space.size();
        more = true;
      }
    }
  }

  /// Takes one of these marks and the space after it.
  bool take(std::initializer_list<std::string_view> marks) {
    for (const std::string_view mark : marks) {
      if (!rest().starts_with(mark)) continue;
      at_ += mark.size();
      skip_space();
      return true;
    }
    return false;
  }

  /// "%" where "of" follows: a percentage.
  bool take_percent_of() {
    const size_t before = at_;
    if (take({"%"})) {
      const bool of = rest().size() > 2 && (rest().starts_with("of") || rest().starts_with("OF"));
      if (of && !is_letter(text_[at_ + 2])) {
        at_ += 2;
        skip_space();
        return true;
      }
    }
    at_ = before;
    return false;
  }

  Error error_at(size_t place, std::string message, ErrorCode code = ErrorCode::invalid_argument) const {
    const size_t character = base::count_code_points(text_.substr(0, place)) + 1;
    return {code, "at character " + std::to_string(character) + ": " + std::move(message)};
  }
  Error error(std::string message) const { return error_at(at_, std::move(message)); }
  Error error_at(size_t place, const Error& error) const { return error_at(place, error.message, error.code); }

  Error unexpected() const;
  std::string next_character() const {
    return base::escape_controls(rest().substr(0, std::max<uint32_t>(base::decode_utf8(rest()).length, 1)));
  }

  std::string_view text_;
  size_t at_ = 0, depth_ = 0;
};

/// What stands where an operator or the end should.
Error Evaluator::unexpected() const {
  const char c = peek();
  if (at_end()) return error("the expression ends too early; complete it");
  if (c == ',')
    return error("a comma stands only between arguments of a function; write 3.5 and 1000, not 3,5 and 1,000");
  if (c == '=') return error("this calculates a value and solves no equation; leave out '=' and what follows");
  if (c == '!') return error("'!!' and '!=' mean nothing here; write (3!)! for the factorial of a factorial");
  if (c == ')') return error("')' without '('");
  if (c == '(' || is_digit(c) || c == '.' || is_letter(c) || rest().starts_with("π") || rest().starts_with("τ"))
    return error("an operator is missing; write 2 * pi, not 2pi, and 1000, not 1 000");
  return error("'" + next_character() + "' means nothing here; use + - * / % ^ ! ( ) and functions");
}

Result<Number> Evaluator::sum() {
  INGLE_TRY(Number total, product());
  while (true) {
    const size_t place = at_;
    const bool minus = peek() == '-' || rest().starts_with("−");
    if (!take({"+", "-", "−"})) return total;
    INGLE_TRY(const Number next, product());
    auto result = add(total, minus ? next.negated() : next);
    if (!result) return error_at(place, result.error());
    total = *std::move(result);
  }
}

Result<Number> Evaluator::product() {
  INGLE_TRY(Number total, share());
  while (true) {
    const size_t place = at_;
    Result<Number> (*apply)(const Number&, const Number&) = nullptr;
    if (take({"*", "×", "·", "⋅"})) {
      apply = multiply;
    } else if (take({"/", "÷"})) {
      apply = divide;
    } else if (take({"%"})) {
      apply = modulo;
      if (at_end() || std::string_view("+-*/^)%,=").find(peek()) != std::string_view::npos)
        return error_at(place, "'%' is the remainder, as in 7 % 3; for a percentage write 15% of 80, or 80 * 0.15");
    } else {
      return total;
    }
    INGLE_TRY(const Number next, share());
    auto result = apply(total, next);
    if (!result) return error_at(place, result.error());
    total = *std::move(result);
  }
}

Result<Number> Evaluator::share() {
  INGLE_TRY(Number value, unary());
  while (true) {
    const size_t place = at_;
    if (!take_percent_of()) return value;
    INGLE_TRY(const Number whole, unary());
    auto hundredths = multiply(value, Number::of(1, 100));
    auto result = hundredths ? multiply(*hundredths, whole) : std::move(hundredths);
    if (!result) return error_at(place, result.error());
    value = *std::move(result);
  }
}

/// Everything that nests passes through here.
Result<Number> Evaluator::unary() {
  if (depth_ == max_expression_depth)
    return error_at(at_, "this is nested more than 64 deep; calculate it in parts", ErrorCode::limit_exceeded);
  ++depth_;
  auto value = unary_within();
  --depth_;
  return value;
}

Result<Number> Evaluator::unary_within() {
  if (take({"-", "−"})) {
    INGLE_TRY(const Number value, unary());
    return value.negated();
  }
  if (take({"+"})) return unary();
  return power_of();
}

Result<Number> Evaluator::power_of() {
  INGLE_TRY(Number base, factorial_of());
  const size_t place = at_;
  if (!take({"^", "**"})) return base;
  INGLE_TRY(const Number exponent, unary());
  auto result = power(base, exponent);
  if (!result) return error_at(place, result.error());
  return result;
}

Result<Number> Evaluator::factorial_of() {
  INGLE_TRY(Number value, primary());
  const size_t place = at_;
  if (!take({"!"})) return value;
  if (peek() == '!' || peek() == '=') return unexpected();
  auto result = factorial(value);
  if (!result) return error_at(place, result.error());
  return result;
}

Result<Number> Evaluator::primary() {
  if (take({"("})) {
    INGLE_TRY(Number value, sum());
    if (at_end()) return error("')' is missing");
    if (!take({")"})) return unexpected();
    return value;
  }
  if (is_digit(peek()) || peek() == '.') return number();
  if (is_letter(peek()) || rest().starts_with("π") || rest().starts_with("τ")) return name();
  if (at_end()) return error("the expression ends where a number should follow; complete it");
  return error("a number should stand here, not '" + next_character() + "'");
}

/// One to three digits, a comma, three digits: a thousands separator, or two arguments.
base::Status Evaluator::check_separators(size_t end) const {
  const std::string_view token = text_.substr(at_, end - at_);
  if (token.size() > 3 || !std::ranges::all_of(token, is_digit)) return {};
  const std::string_view after = text_.substr(end);
  if (after.size() < 4 || after[0] != ',' || !std::ranges::all_of(after.substr(1, 3), is_digit)) return {};
  if (after.size() > 4 && is_digit(after[4])) return {};
  const std::string first(token), second(after.substr(1, 3));
  return error(first + "," + second + " may be one number or two; write " + first + second + ", or " + first + ", " +
               second + " with a space for two arguments");
}

Result<Number> Evaluator::number() {
  size_t end = at_;
  const auto digits = [&] {
    const size_t start = end;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    return end - start;
  };
  const size_t whole = digits();
  size_t decimals = 0;
  if (end < text_.size() && text_[end] == '.') {
    ++end;
    decimals = digits();
  }
  if (whole + decimals == 0) return error("'.' without digits");
  if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    const size_t before = end++;
    if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
    if (digits() == 0) end = before;
  }
  INGLE_CHECK(check_separators(end));
  auto value = Number::parse(text_.substr(at_, end - at_));
  if (!value) return error_at(at_, value.error());
  at_ = end;
  if (peek() == '.') return error("a number has one point; write 1000000.5, not 1.000.000,5");
  skip_space();
  return value;
}

Result<Number> Evaluator::name() {
  const size_t place = at_;
  if (take({"π"})) return find_constant("pi").value();
  if (take({"τ"})) return find_constant("tau").value();
  while (!at_end() && (is_letter(peek()) || is_digit(peek()))) ++at_;
  std::string name(text_.substr(place, at_ - place));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  skip_space();
  if (const Function* function = find_function(name)) return call(*function, place);
  if (auto constant = find_constant(name)) return *std::move(constant);
  constexpr size_t kShown = 40;
  if (name.size() > kShown) name = name.substr(0, kShown) + "…";
  return error_at(place, "'" + name + "' is not known here; known are " + known_names());
}

Result<Number> Evaluator::call(const Function& function, size_t place) {
  const std::string form(function.form);
  if (!take({"("})) return error_at(place, "this function needs parentheses: " + form);
  std::vector<Number> arguments;
  if (peek() != ')') {
    do {
      INGLE_TRY(Number argument, sum());
      arguments.push_back(std::move(argument));
    } while (take({","}));
  }
  if (at_end()) return error("')' is missing");
  if (!take({")"})) return unexpected();
  if (arguments.size() < function.least || arguments.size() > function.most)
    return error_at(place, "this is not how the function is called; write " + form);
  auto result = function.call(arguments);
  if (!result) return error_at(place, result.error());
  return result;
}

}  // namespace

Result<Calculated> calculate(std::string_view expression) {
  if (expression.size() > max_expression_bytes)
    return Error{ErrorCode::limit_exceeded, "an expression has at most 1000 bytes; calculate it in parts"};
  if (!base::is_valid_utf8(expression)) return Error{ErrorCode::invalid_argument, "the expression is not UTF-8"};
  try {
    INGLE_TRY(const Number value, Evaluator(expression).run());
    Number::Shown shown = value.show();
    return Calculated{std::move(shown.text), shown.exact};
  } catch (const std::exception&) {  // of Boost.Multiprecision; none is known to get here
    return Error{ErrorCode::internal, "this can't be calculated; write it in another way"};
  }
}

}  // namespace ingle::assistant
