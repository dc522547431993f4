// What the formats take blocks apart with. Codes leave their bytes sixteen at a time: in a vector of two 64-bit words,
// which every 64-bit processor has, one shift and one mask serve them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {

/// Where a block keeps `width` bits of each code, from byte `offset` on: `run` bytes have those of as many consecutive
/// codes in their lowest bits, those of the next `run` codes in the bits above, and so on to the highest; then come the
/// next `run` bytes. A run is a multiple of 16, or 1: then the bits simply follow one another.
struct CodeBits {
  uint32_t offset, run, width;
};

/// Sixteen bytes; what a shift moves across a byte's end, a mask takes away.
using CodeWords = uint64_t __attribute__((vector_size(16)));

/// `value` in each byte of a word.
constexpr uint64_t each_byte(uint64_t value) {
  return value * 0x0101010101010101u;
}

/// Sixteen single bits, those of bytes[0] and then bytes[1], lowest first, each in the lowest bit of its byte.
inline CodeWords spread_bits(const std::byte* bytes) {
  // All eight bits go into every byte, of which byte i keeps bit i; then whatever is not zero carries into bit 7.
  const CodeWords copies{each_byte(byte_at(bytes, 0)), each_byte(byte_at(bytes, 1))};
  return ((copies & uint64_t{0x8040201008040201}) + each_byte(0x7f)) >> 7 & each_byte(1);
}

/// The bits of codes [first, first + 16), each in the lowest bits of its byte.
template <CodeBits bits, size_t first>
CodeWords code_words(const std::byte* block) {
  if constexpr (bits.run == 1) {
    static_assert(bits.width == 1);
    return spread_bits(block + bits.offset + first / 8);
  } else {
    static_assert(bits.run % 16 == 0);
    constexpr size_t span = size_t{bits.run} * 8 / bits.width;  // codes that share `run` bytes
    constexpr size_t shift = first % span / bits.run * bits.width;
    CodeWords words;
    std::memcpy(&words, block + bits.offset + first / span * bits.run + first % bits.run, sizeof words);
    return words >> shift & each_byte((1u << bits.width) - 1);
  }
}

/// All codes of a block, made of the bits `low` and, above them, the bits `high`.
template <size_t count, CodeBits low, CodeBits high = CodeBits{}>
void unpack_codes(const std::byte* block, uint8_t* out) {
  const auto unpack = [&]<size_t first>(std::integral_constant<size_t, first>) {
    CodeWords words = code_words<low, first>(block);
    if constexpr (high.width > 0) words |= code_words<high, first>(block) << low.width;
    std::memcpy(out + first, &words, sizeof words);
  };
  // Not a loop: with constants for places and shifts it takes half the time, and g++ does not unroll it that far.
  [&]<size_t... i>(std::index_sequence<i...>) {
    (unpack(std::integral_constant<size_t, i * 16>{}), ...);
  }(std::make_index_sequence<count / 16>{});
}

/// QuantFormat::take_apart from a function for one block, which becomes part of the loop.
template <void (*take_one_apart)(const std::byte* block, BlockCodes& out)>
void each_block(const std::byte* source, size_t stride, size_t blocks, BlockCodes* out) {
  for (size_t i = 0; i < blocks; ++i) take_one_apart(source + i * stride, out[i]);
}

}  // namespace ingle::core
