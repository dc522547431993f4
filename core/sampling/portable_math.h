// exp and log with the same bits on every machine: the C library's differ between libraries and processors (some use
// fused multiplication), and one differing bit can change the token that a seed draws. Only IEEE 754 additions,
// multiplications and divisions in a fixed order; the build forbids contraction.
// Method: argument reduction and Taylor series, see Muller, "Elementary Functions", chapters 5 and 11.
#pragma once

#include <bit>
#include <cstdint>

namespace ingle::core {

/// e^x for x <= 0, relative error below 1e-12; 0 below -700 and for NaN. Without branches, so that loops vectorise.
inline double exp_nonpositive(double x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;  // kLn2High: trailing zeros
  constexpr double kRound = 0x1.8p52;                                                 // leaves no room for a fraction
  const bool representable = x >= -700;
  const double bounded = representable ? x : 0;
  const double shifted = bounded * kLog2E + kRound;
  const double n = shifted - kRound;
  const double r = (bounded - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  double sum = 1.0 / 3628800;                               // of r^k / k!
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  const uint64_t exponent = (std::bit_cast<uint64_t>(shifted) + 1023) << 52;  // the low bits of `shifted` are n
  const double value = sum * std::bit_cast<double>(exponent);
  return representable ? value : 0;
}

/// The natural logarithm of a positive normal number, error below 1e-15 of max(1, |result|).
inline double log_positive(double x) {
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int32_t>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    ++exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1);  // |s| <= 0.172; log(m) = 2 atanh(s)
  const double square = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
  return exponent * kLn2 + 2 * s * (1 + sum);
}

}  // namespace ingle::core
