// The 16-bit floats against their definition: every value, and every rounding boundary between neighbours.
#include "core/quants/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ingle::core {
namespace {

/// The value of a finite 16-bit float by its definition.
double defined_value(uint16_t bits, int mantissa_bits, int bias) {
  const int exponent = (bits & 0x7fff) >> mantissa_bits;
  const int fraction = bits & ((1 << mantissa_bits) - 1);
  const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - mantissa_bits)
                                         : std::ldexp(fraction + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// Checks that `encode` rounds to nearest, ties to even, around the boundary between `lower` and its successor.
void check_boundary(uint16_t (*encode)(float), uint16_t lower, double low, double high) {
  const auto upper = static_cast<uint16_t>(lower + 1);
  const auto middle = static_cast<float>((low + high) / 2);
  ASSERT_EQ(static_cast<double>(middle), (low + high) / 2);
  ASSERT_EQ(encode(static_cast<float>(low)), lower);
  ASSERT_EQ(encode(middle), (lower & 1) == 0 ? lower : upper) << lower;
  ASSERT_EQ(encode(std::nextafter(middle, 0.0f)), lower);
  ASSERT_EQ(encode(std::nextafter(middle, std::numeric_limits<float>::infinity())), upper);
  ASSERT_EQ(encode(-middle), encode(middle) | 0x8000);
}

TEST(Half, EveryF16HasItsDefinedValue) {
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = f16_to_f32(bits);
    if ((bits & 0x7fff) > 0x7c00) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_EQ(f32_to_f16(value), bits | 0x0200) << "quieted, payload kept";
    } else if ((bits & 0x7fff) == 0x7c00) {
      ASSERT_TRUE(std::isinf(value));
      ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0);
      ASSERT_EQ(f32_to_f16(value), bits);
    } else {
      ASSERT_EQ(static_cast<double>(value), defined_value(bits, 10, 15)) << bits;
      ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0);
      ASSERT_EQ(f32_to_f16(value), bits);
    }
  }
}

TEST(Half, F16RoundsToNearestEven) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    check_boundary(f32_to_f16, bits, defined_value(bits, 10, 15), defined_value(bits + 1, 10, 15));
    if (HasFatalFailure()) return;
  }
  check_boundary(f32_to_f16, 0x7bff, 65504, 65536);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(f32_to_f16(-std::numeric_limits<float>::denorm_min()), 0x8000);
}

TEST(Half, Bf16IsTheUpperHalfRoundedToNearestEven) {
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = bf16_to_f32(bits);
    if ((bits & 0x7fff) > 0x7f80) {
      ASSERT_TRUE(std::isnan(value));
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value))));
    } else {
      ASSERT_EQ(f32_to_bf16(value), bits);
      if ((bits & 0x7fff) != 0x7f80) {
        ASSERT_EQ(static_cast<double>(value), defined_value(bits, 7, 127));
      }
    }
  }
  for (uint16_t bits = 0; bits < 0x7f7f; ++bits) {
    check_boundary(f32_to_bf16, bits, defined_value(bits, 7, 127), defined_value(bits + 1, 7, 127));
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  const float low_payload_nan = std::bit_cast<float>(0x7f800001u);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(low_payload_nan))));
}

TEST(Half, WorksAtCompileTime) {
  static_assert(f16_to_f32(0x3c00) == 1.0f && f32_to_f16(-2.0f) == 0xc000 && f32_to_bf16(1.0f) == 0x3f80);
}

}  // namespace
}  // namespace ingle::core
