// 16-bit floats: IEEE 754 binary16 and bfloat16 to binary32 (exact) and back (to nearest, ties to even), and unaligned
// little-endian loads and stores. A NaN stays a NaN; converting a binary16 quiets it, as the processors' own
// instructions (vcvtph2ps, fcvt) do, so that vector forms agree with these bit for bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ingle::core {

static_assert(std::endian::native == std::endian::little, "model files are little-endian and read in place");

constexpr float f16_to_f32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  uint32_t bits = (magnitude << 13) + (112u << 23);  // rebias the exponent: 127 - 15
  if (magnitude >= 0x7c00u) {
    bits = 0x7f800000u | (magnitude << 13) | (magnitude > 0x7c00u ? 0x00400000u : 0u);
  } else if (magnitude < 0x0400u) {
    // Subnormal: as the fraction of a number of exponent -14, less that number; exact, and no subnormal float in
    // between.
    bits = std::bit_cast<uint32_t>(std::bit_cast<float>((magnitude << 13) | (113u << 23)) - 0x1p-14f);
  }
  return std::bit_cast<float>(sign | bits);
}

constexpr uint16_t f32_to_f16(float value) {
  const uint32_t all = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (all >> 16) & 0x8000u;
  const uint32_t magnitude = all & 0x7fffffffu;
  uint32_t half = 0;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u | ((magnitude >> 13) & 0x03ffu);
  } else if (magnitude >= 0x477ff000u) {  // 65520, halfway between the largest binary16 and the next power of two
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // 2^-14, the least normal binary16
    half = (magnitude + 0x0fffu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13;
  } else {
    // The sum's last bit is worth 2^-24, the unit of binary16's subnormals: the addition itself rounds.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f);
  }
  return static_cast<uint16_t>(sign | half);
}

constexpr float bf16_to_f32(uint16_t value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

constexpr uint16_t f32_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x0040u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline uint16_t load_u16(const std::byte* source) {
  uint16_t value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

inline uint32_t load_u32(const std::byte* source) {
  uint32_t value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

inline void store_u16(std::byte* destination, uint16_t value) {
  std::memcpy(destination, &value, sizeof value);
}
inline void store_u32(std::byte* destination, uint32_t value) {
  std::memcpy(destination, &value, sizeof value);
}

inline float load_f16(const std::byte* source) {
  return f16_to_f32(load_u16(source));
}
inline void store_f16(std::byte* destination, float value) {
  store_u16(destination, f32_to_f16(value));
}

/// Byte `index` as 0..255 and as -128..127.
inline uint32_t byte_at(const std::byte* source, size_t index) {
  return std::to_integer<uint32_t>(source[index]);
}
inline int32_t signed_byte_at(const std::byte* source, size_t index) {
  return static_cast<int8_t>(std::to_integer<uint8_t>(source[index]));
}

}  // namespace ingle::core
