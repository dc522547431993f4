// What a device could do at most, as it measured it with the threads, instruction set and weights in use.
#pragma once

#include <cstdint>

namespace ingle::core {

/// Per second, of all threads together, the best of several passes. 0: there is no such thing here.
struct MachineLimits {
  double weight_bytes = 0;  ///< read of the model's packed weights, each once and in turn, as a token does
  double large_bytes = 0;   ///< read of a buffer of large_buffer bytes
  uint64_t large_buffer = 0;
  double byte_products = 0;   ///< multiply-adds of bytes
  double float_products = 0;  ///< of 32-bit floats
  double tile_products = 0;   ///< of bf16 on a tile unit
};

}  // namespace ingle::core
