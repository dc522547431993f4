// Mixes of number formats: which tensor gets which, by the rules of llama.cpp's quantiser (src/llama-quant.cpp, without
// an importance matrix).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/quants/quant.h"
#include "core/synth/shapes.h"

namespace ingle::core {

struct Mix {
  std::string_view name;         ///< "q4_k_m"
  uint32_t file_type = 0;        ///< general.file_type
  std::string_view format;       ///< of most matrices: "Q4_K"
  std::string_view more_bits{};  ///< of attn_v, attn_qkv and ffn_down in the layers that suffer most; empty: `format`
};

/// Smallest first.
std::span<const Mix> all_mixes();
/// nullptr where there is none.
const Mix* find_mix(std::string_view name);

/// The format of a tensor of `shape` in `mix`. Vectors are F32; a row that is no whole number of blocks falls back to a
/// format of shorter blocks, or to F16.
const QuantFormat& format_of(const Mix& mix, const Shape& shape, const ShapeTensor& tensor);

/// Bytes of all tensors together, without what aligns them.
uint64_t tensor_bytes_of(const Mix& mix, const Shape& shape);

}  // namespace ingle::core
