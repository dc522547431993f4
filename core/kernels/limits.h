// Loops that do nothing but one kind of work, as fast as an instruction set lets one thread do it: what the kernels'
// speed is compared with. Their results mean nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ingle::core {

/// What a loop reads, from the nearest cache, and where it leaves what it computed, so that no compiler leaves it out.
/// One per thread.
struct alignas(64) LimitOperands {
  uint8_t weights[4 * 64] = {};
  int8_t activations[256] = {};
  float floats[2 * 16] = {};
  std::byte sink[64] = {};
};

struct LimitLoop {
  void (*run)(uint64_t rounds, LimitOperands& operands);
  double multiply_adds;  ///< per round
};

/// Several loops for one kind of work differ in how many sums they keep; which is the fastest depends on the processor.
struct LimitLoops {
  std::span<const LimitLoop> bytes;   ///< products of bytes, as of 8-bit activations and weights
  std::span<const LimitLoop> floats;  ///< of 32-bit floats
  std::span<const LimitLoop> tiles;   ///< of bf16 on a tile unit; empty: there is none
  /// Reads all of it; a multiple of 256 bytes, 64-byte aligned. `ahead`: how many bytes in advance they are asked for;
  /// 0: not.
  void (*read)(const std::byte* data, size_t bytes, size_t ahead, LimitOperands& operands);
};

/// Those of the kernels of that name (Kernels::name).
const LimitLoops& limit_loops(std::string_view kernels);

}  // namespace ingle::core
