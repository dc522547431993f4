// The calculator against values that Python and mpmath calculated, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "assistant/tools/expression.h"
#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string result(const std::string& expression) {
  const auto value = calculate(expression);
  return value ? value->text + (value->exact ? "" : " rounded") : "error " + value.error().message;
}

void fails(const std::string& expression, size_t character, const std::string& says,
           ErrorCode code = ErrorCode::invalid_argument) {
  const auto value = calculate(expression);
  ASSERT_FALSE(value.ok()) << expression.substr(0, 80) << " is " << value->text;
  EXPECT_EQ(value.error().code, code) << value.error().message;
  EXPECT_THAT(value.error().message, StartsWith("at character " + std::to_string(character) + ": "));
  EXPECT_THAT(value.error().message, HasSubstr(says));
}

std::string repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Calculator, AgreesWithPython) {
  const auto text = base::read_file(source_folder() + "/tests/data/tools/calculator.json", size_t{1} << 20);
  ASSERT_TRUE(text.ok()) << text.error().message;
  const Json golden = base::parse_json(*text).value();
  ASSERT_GT(golden["cases"].size(), 500U);
  for (const Json& one : golden["cases"]) {
    const auto expression = one["expression"].get<std::string>();
    const auto value = calculate(expression);
    ASSERT_TRUE(value.ok()) << expression << ": " << value.error().message;
    EXPECT_EQ(value->text, one["result"].get<std::string>()) << expression;
    EXPECT_EQ(value->exact, one["exact"].get<bool>()) << expression;
  }
}

TEST(Calculator, TellsWhatWasRounded) {
  EXPECT_EQ(result("0.1 + 0.2"), "0.3");
  EXPECT_EQ(result("1/3"), "0.333333333333333333333333333333 rounded");
  EXPECT_EQ(result("1/3 * 3"), "1");
  EXPECT_EQ(result("sqrt(2)^2"), "2 rounded");
  EXPECT_EQ(result("1e-2000 * 1e2000"), "1 rounded");
  EXPECT_EQ(result("2^100000"), "9.9900209301438450794403276433e30102 rounded");
  EXPECT_EQ(result("floor(sqrt(10))!"), "6 rounded");
}

TEST(Calculator, CancelledDigitsAreNoResult) {
  EXPECT_EQ(result("sqrt(2)^2 - 2"), "0 rounded");
  EXPECT_EQ(result("sin(pi)"), "0 rounded");
  EXPECT_EQ(result("cos(pi/2)"), "0 rounded");
  EXPECT_EQ(result("sin(1000000 * pi)"), "0 rounded");
  EXPECT_EQ(result("floor(sqrt(2)^2)"), "2 rounded");
  EXPECT_EQ(result("ceil(sqrt(2)^2)"), "2 rounded");
  EXPECT_EQ(result("(sqrt(5)^2) % 5"), "0 rounded");
  EXPECT_EQ(result("(-2)^(sqrt(3)^2)"), "-8 rounded");
  EXPECT_EQ(result("asin(2 * sin(rad(30)))"), "1.57079632679489661923132169164 rounded");
  EXPECT_EQ(result("gcd(sqrt(2)^2, 4)"), "2 rounded");
}

TEST(Calculator, LogarithmsNearWholeOnes) {
  EXPECT_EQ(result("ln(1 + 1e-200)"), "1e-200 rounded");
  EXPECT_EQ(result("log10(1 - 1e-200)"), "-4.34294481903251827651128918917e-201 rounded");
  EXPECT_EQ(result("log10(1000)"), "3");
  EXPECT_EQ(result("log10(1000 + 1e-95)"), "3 rounded");
}

TEST(Calculator, PercentagesAreOfSomething) {
  EXPECT_EQ(result("15% of 80"), "12");
  EXPECT_EQ(result("200 + 15 % of 80"), "212");
  EXPECT_EQ(result("2.5% of 10% of 4000"), "10");
  EXPECT_EQ(result("100 / 50% of 4"), "50");
  EXPECT_EQ(result("-10% of 2^3"), "-0.8");
  EXPECT_EQ(result("80 % 15"), "5");
  fails("80 + 15%", 8, "15% of 80");
  fails("15% * 80", 3, "15% of 80");
  fails("(15%)", 4, "15% of 80");
  fails("7 % -3", 3, "15% of 80");
}

TEST(Calculator, WhatCouldMeanTwoThingsIsRefused) {
  fails("1,000 + 1", 1, "write 1000, or 1, 000 with a space");
  fails("1,234,567", 1, "write 1234, or 1, 234");
  fails("max(12,345)", 5, "may be one number or two; write 12345, or 12, 345");
  EXPECT_EQ(result("max(12, 345)"), "345");
  EXPECT_EQ(result("max(12,34)"), "34");
  EXPECT_EQ(result("max(1234,567)"), "1234");
  EXPECT_EQ(result("max(12,3456)"), "3456");
  EXPECT_EQ(result("round(2.375,2)"), "2.38");
  fails("3,5 * 2", 2, "a comma stands only between arguments");
  fails("1 000", 3, "an operator is missing");
  fails("1.000.000,5", 6, "a number has one point");
  fails("2pi", 2, "an operator is missing");
  fails("2(3)", 2, "an operator is missing");
  fails("(1)(2)", 4, "an operator is missing");
  fails("2π", 2, "an operator is missing");
  fails("3!!", 3, "(3!)!");
  fails("log(100)", 1, "ln(x), log10(x) or log(x, base)");
  fails("2 + 2 =", 7, "solves no equation");
  fails("x + 1", 1, "'x' is not known here; known are abs, acos");
}

TEST(Calculator, UnicodeSignsAndPlaces) {
  EXPECT_EQ(result("6×7"), "42");
  EXPECT_EQ(result("6·7⋅2"), "84");
  EXPECT_EQ(result("−6 ÷ 4"), "-1.5");
  EXPECT_EQ(result("τ − 2\u00a0× π"), "0 rounded");
  EXPECT_EQ(result("  SQRT( 16 )\n"), "4");
  fails("6×7 + ²", 7, "not '²'");
  fails("6×7 ÷ 0", 5, "division by zero");
  EXPECT_THAT(result("\xff"), HasSubstr("not UTF-8"));
  fails("1 + \x1b[31m", 5, "'\\x1b'");
}

TEST(Calculator, ErrorsNameThePlace) {
  fails("", 1, "is empty");
  fails("   ", 4, "is empty");
  fails("1 +", 4, "ends where a number should follow");
  fails("(1 + 2", 7, "')' is missing");
  fails("max(1, 2", 9, "')' is missing");
  fails("1 + 2)", 6, "')' without '('");
  fails("1 + * 2", 5, "not '*'");
  fails("1 / (2 - 2)", 3, "division by zero");
  fails("5 % 0", 3, "division by zero");
  fails("1 + 0^-1", 6, "division by zero");
  fails("1 + sqrt(-4)", 5, "square root of a negative");
  fails("(-8)^(1/3)", 5, "cbrt(x) gives cube roots");
  fails("(-8)^0.5", 5, "no real value");
  fails("ln(0)", 1, "only positive");
  fails("log10(-1)", 1, "only positive");
  fails("log(2, 1)", 1, "base of a logarithm");
  fails("asin(1.0001)", 1, "from -1 to 1");
  fails("tan(pi / 2)", 1, "no value");
  fails("(-1)!", 5, "whole number");
  fails("2.5!", 4, "whole number");
  fails("gcd(1.5, 2)", 1, "whole numbers");
  fails("sqrt", 1, "needs parentheses: sqrt(x)");
  fails("sqrt()", 1, "write sqrt(x)");
  fails("sqrt(1, 2)", 1, "write sqrt(x)");
  fails("min()", 1, "write min(a, b, ...)");
  fails("round(1, 0.5)", 1, "whole number of digits");
  fails("round(1, 1000)", 1, "-100 to 100");
  fails(".", 1, "without digits");
  fails("1 $ 2", 3, "'$' means nothing here");
}

TEST(Calculator, BoundsHold) {
  const auto limit = ErrorCode::limit_exceeded;
  fails("9^9^9^9", 4, "more than a million digits", limit);
  fails("10^1000001", 3, "more than a million digits", limit);
  fails("10^-1000001", 3, "nearer to zero", limit);
  fails("1e9999999999999999999", 1, "more than a million digits", limit);
  fails("1e-9999999", 1, "nearer to zero", limit);
  fails("exp(1e9)", 1, "more than a million digits", limit);
  fails("exp(-1e9)", 1, "nearer to zero", limit);
  fails("1001!", 5, "up to 1000!", limit);
  fails("sin(1e31)", 1, "angles", limit);
  fails("floor(pi * 1e90)", 1, "too large", limit);
  EXPECT_EQ(result("0e99999999999"), "0");
  EXPECT_EQ(result("0 * pi"), "0");
  EXPECT_EQ(result("1^99999999999999999999"), "1");
  EXPECT_EQ(result("(-1)^99999999999999999999"), "-1");
  EXPECT_EQ(result("00012"), "12");  // not octal

  EXPECT_EQ(result(repeated("(", 63) + "1" + repeated(")", 63)), "1");
  fails(repeated("(", 64) + "1" + repeated(")", 64), 65, "more than 64 deep", limit);
  fails(repeated("-", 500) + "1", 65, "more than 64 deep", limit);
  fails("1" + repeated("^1", 400), 129, "more than 64 deep", limit);
  EXPECT_EQ(result("1" + repeated("+1", 499)), "500");
  EXPECT_EQ(calculate(std::string(1001, '1')).error().code, limit);
  EXPECT_EQ(result(std::string(1000, '1')), std::string(1000, '1'));
  fails("lcm(" + repeated("999!+1, ", 1) + repeated("998!+1, 997!+1, 996!+1, ", 20) + "1)", 1, "3010 digits", limit);
}

}  // namespace
}  // namespace ingle::assistant
