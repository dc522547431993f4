// AMX: the vectors of AVX-512 VNNI, and a unit that multiplies tiles of bf16.
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/simd/avx512vnni.h"
#include "core/simd/region_amx.h"
namespace ingle::core::amx {

using avx512vnni::F32;
using avx512vnni::I32;
using avx512vnni::Pairs;
using avx512vnni::Quad;

/// out[i] = low[i], out[16 + i] = high[i], rounded to nearest even.
inline void store_bf16(F32 low, F32 high, uint16_t* out) {
  _mm512_storeu_si512(out, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high.v, low.v)));
}
/// out[2 * i] = even[i], out[2 * i + 1] = odd[i].
inline void store_bf16_pairs(F32 even, F32 odd, uint16_t* out) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd.v, even.v));
  _mm512_storeu_si512(out, _mm512_permutexvar_epi16(order, both));
}

/// Eight tiles of 16 rows x 64 bytes, of this thread while the object lives. In assembly, because gcc's intrinsics take
/// the tile's number as a token, not a constant, and gcc 12's tell the compiler of 8 of the configuration's 64 bytes.
class TileUnit {
 public:
  TileUnit() {
    struct alignas(64) Configuration {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    const Configuration configuration;
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  ~TileUnit() { asm volatile("tilerelease"); }
  TileUnit(const TileUnit&) = delete;
  TileUnit& operator=(const TileUnit&) = delete;

  template <int tile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
  }
  /// The 1 KiB at `from`.
  template <int tile>
  void load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(int64_t{64}), "i"(tile) : "memory");
  }
  /// The same, of what is not soon read again and should not displace what is from the nearest cache.
  template <int tile>
  void load_once(const void* from) {
    asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(int64_t{64}), "i"(tile) : "memory");
  }
  template <int tile>
  void store(void* to) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(int64_t{64}), "i"(tile) : "memory");
  }
  /// sum[m][n] += a[m][2k] * b[k][n][0] + a[m][2k + 1] * b[k][n][1], over k = 0 .. 15; sums are 32-bit floats.
  template <int sum, int a, int b>
  void add_products() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
  }
};

}  // namespace ingle::core::amx
#include "core/simd/region_end.h"
