// Packed weights as tiles of bf16, straight from their codes, for a unit that multiplies those.
#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

#include "core/kernels/kernels.h"
#include "core/quants/codebook.h"

#define INGLE_SIMD_FILE "core/kernels/packed_tiles.cpp"
#define INGLE_SIMD_TILE_UNITS
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {
#include "core/kernels/packed_kernels.inc.h"

// Signed codes are made unsigned first (x ^ 0x80 is x + 128), as StoreFloats has it.
template <typename T>
struct StoreTile {
  static constexpr bool wide = T::signed_codes;
  static constexpr bool flip = T::signed_codes && Quad::signed_zero == 0;

  const TileDecoder<wide> (&decoders)[T::halves];
  uint16_t* out;
  void operator()(int j, Quad q) const {
    if constexpr (flip) q = q.flip_sign();
    decoders[T::halves == 2 ? j / 4 : 0].store(q, out + 64 * j);
  }
};

template <typename T>
TileDecoder<T::signed_codes> decoder(const T& tile, int g, int half) {
  return {tile.scale(g, half), tile.min_value(g, half), T::signed_codes ? 128.0f : static_cast<float>(T::bias)};
}

// 32 columns: one tile of the unit's.
template <typename T>
inline void unpack_tile(const T& tile, int g, uint16_t* out) {
  if constexpr (T::nibbles && !T::signed_codes) {
    const auto decode = decoder(tile, g, 0);
    for (int j = 0; j < 4; ++j) decode.store_nibbles(tile.plane(g, j), out + 64 * j, out + 64 * (j + 4));
  } else if constexpr (T::halves == 1) {
    const TileDecoder<T::signed_codes> decoders[] = {decoder(tile, g, 0)};
    for_each_quad(tile, g, StoreTile<T>{decoders, out});
  } else {
    const TileDecoder<T::signed_codes> decoders[] = {decoder(tile, g, 0), decoder(tile, g, 1)};
    for_each_quad(tile, g, StoreTile<T>{decoders, out});
  }
}

template <typename T>
void unpack_tiles(const std::byte* panel, size_t tiles, uint16_t* out, size_t stride, uintptr_t soon) {
  constexpr int groups = T::columns / 32, lines = (T::bytes + groups * 64 - 1) / (groups * 64);
  const auto* p = reinterpret_cast<const uint8_t*>(panel);
  for (size_t t = 0; t < tiles; ++t, p += T::bytes, soon += T::bytes) {
    const T tile(p);
    for (int g = 0; g < groups; ++g, out += stride) {
      for (int line = 0; line < lines; ++line)
        __builtin_prefetch(reinterpret_cast<const void*>(soon + static_cast<size_t>(g * lines + line) * 64));
      unpack_tile(tile, g, out);
    }
  }
}

}  // namespace

void fill_packed_tiles(std::array<PackedKernels, kLayoutCount>& table) {
  for_each_layout<0, kLayoutCount>([&]<typename T>(size_t layout) { table[layout].unpack_tiles = unpack_tiles<T>; });
}

}  // namespace ingle::core::INGLE_ISA
#endif
