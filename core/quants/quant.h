// A tensor's number format as one record: name, GGUF id, block shape, decode, encode.
// One file per format (core/quants/NAME.cpp defines `NAME_record`); the build collects them into all_quants().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ingle::core {

/// What a block looks like once taken apart: integer codes with scales. `bits` = 0: the format has no such form
/// (floats). With 256 columns, x = d * scale[g] * (q - zero) - m * min[g]; with 32, the same with scale = min = 1;
/// `has_min` false drops the second term. A codebook replaces (q - zero).
struct CodeShape {
  uint32_t bits = 0;     ///< 2, 3, 4, 5, 6 or 8
  uint32_t columns = 0;  ///< elements of a block: 32 or 256
  uint32_t group = 0;    ///< elements that share a scale: 16 or 32
  int32_t zero = 0;
  bool has_min = false;
  bool is_signed = false;            ///< q is int8
  const int8_t* codebook = nullptr;  ///< 16 values
};

/// One block taken apart, in the terms of CodeShape. `d` and `m` are binary16.
struct BlockCodes {
  uint8_t q[256] = {};
  int8_t scale[16] = {};
  int8_t min[16] = {};
  uint16_t d = 0, m = 0;
};

struct QuantFormat {
  std::string_view name;        ///< as GGUF spells it: "Q4_K", "BF16"
  uint32_t gguf_id = 0;         ///< ggml_type in GGUF files
  uint32_t block_elements = 0;  ///< consecutive elements of one row that share a block: 1, 32 or 256
  uint32_t block_bytes = 0;

  /// Decodes `blocks` blocks at `source` (no alignment assumed) to blocks * block_elements floats. The scalar
  /// reference: defines the format's values. Any bytes are valid input; infinities and NaNs pass through.
  void (*decode)(const std::byte* source, float* destination, size_t blocks) = nullptr;

  /// Encodes finite floats, rounding to nearest; blocks * block_elements of them.
  void (*encode)(const float* source, std::byte* destination, size_t blocks) = nullptr;

  CodeShape codes;
  /// `blocks` blocks, `stride` bytes from one to the next (of different rows), each into its codes; null where
  /// codes.bits is 0. Devices pack weights from these.
  void (*take_apart)(const std::byte* source, size_t stride, size_t blocks, BlockCodes* out) = nullptr;

  /// Bytes of `elements` values (a multiple of block_elements).
  uint64_t bytes(uint64_t elements) const { return elements / block_elements * block_bytes; }
};

/// All formats of this build.
std::span<const QuantFormat* const> all_quants();

/// nullptr where this build has none.
const QuantFormat* find_quant(uint32_t gguf_id);
const QuantFormat* find_quant(std::string_view name);

/// "F32, F16, …": for error messages.
std::string quant_names();

}  // namespace ingle::core
