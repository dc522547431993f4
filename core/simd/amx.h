// AMX: the vectors of AVX-512 VNNI, and a unit that multiplies tiles of bf16.
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "core/simd/avx512vnni.h"
#include "core/simd/region_amx.h"
namespace ingle::core::amx {

using avx512vnni::F32;
using avx512vnni::I16;
using avx512vnni::I32;
using avx512vnni::Pairs;
using avx512vnni::Quad;

/// out[i] = low[i], out[16 + i] = high[i], rounded to nearest even.
inline void store_bf16(F32 low, F32 high, uint16_t* out) {
  _mm512_storeu_si512(out, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high.v, low.v)));
}
inline void store_bf16(F32 x, uint16_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v)));
}
/// out[2 i] = even[i], out[2 i + 1] = odd[i], rounded so.
inline void store_bf16_pairs(F32 even, F32 odd, uint16_t* out) {
  const __m512i order =
      _mm512_add_epi32(_mm512_set1_epi32(0x100000),
                       _mm512_mullo_epi32(_mm512_set1_epi32(0x10001),
                                          _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)));
  const auto rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd.v, even.v));
  _mm512_storeu_si512(out, _mm512_permutexvar_epi16(order, rounded));
}
/// Makes a tile's weights of codes: scale * (code - bias) - minus, rounded to bf16. A code is put into the mantissa of
/// a float 2^n, which is then n's power more than it; that goes into the sum. `wide`: codes of 8 bits, else of at most
/// 7, whose floats are closer to 1 and lose less of the sum. The rounding instruction takes two vectors one after the
/// other, but the tile wants the columns of a row side by side; so the codes are permuted first, four times fewer.
template <bool wide>
class TileDecoder {
 public:
  TileDecoder(F32 scale, F32 minus, float bias)
      : scale_(scale), sum_(sum(scale, minus, bias + kOrigin)), upper_sum_(sum(scale, minus, bias + kUpperOrigin)) {}

  /// Columns 0 and 1 of the quad, [row][column], then columns 2 and 3.
  void store(Quad codes, uint16_t* out) const {
    const Spread spread(codes);
    _mm512_store_si512(out, spread.weights(kMask, kOrigin, scale_, sum_));
    _mm512_store_si512(out + 32, spread.other_columns().weights(kMask, kOrigin, scale_, sum_));
  }
  /// The same of codes + 128 with a scale per column instead, at `scales`.
  static void store_columns(Quad codes, const float* scales, uint16_t* out) {
    static_assert(wide);
    const Spread spread(codes);
    const PerRow first = of_columns(scales), last = of_columns(scales + 2);
    const F32 origin = F32::set1(-(kOrigin + 128.0f));
    _mm512_store_si512(out, spread.weights(kMask, kOrigin, first, first * origin));
    _mm512_store_si512(out + 32, spread.other_columns().weights(kMask, kOrigin, last, last * origin));
  }
  /// The same of two quads of 4 bits.
  void store_nibbles(Quad plane, uint16_t* low, uint16_t* high) const {
    static_assert(!wide);
    const Spread spread(plane), other = spread.other_columns();
    _mm512_store_si512(low, spread.weights(0xF0000, kOrigin, scale_, sum_));
    _mm512_store_si512(low + 32, other.weights(0xF0000, kOrigin, scale_, sum_));
    _mm512_store_si512(high, spread.weights(0xF000, kUpperOrigin, scale_, upper_sum_));
    _mm512_store_si512(high + 32, other.weights(0xF000, kUpperOrigin, scale_, upper_sum_));
  }

 private:
  static constexpr float kOrigin = wide ? 0x1p15f : 0x1p7f;  ///< whose last bits are those under kMask
  static constexpr int kMask = wide ? 0xFF00 : 0xFF0000;
  static constexpr float kUpperOrigin = 0x1p11f;  ///< of upper nibbles, under 0xF000

  /// One value per row as the lanes are spread: rows 0-7 and 8-15, each twice.
  struct PerRow {
    __m512 low, high;
    explicit PerRow(F32 rows)
        : low(_mm512_permutexvar_ps(lanes(0), rows.v)), high(_mm512_permutexvar_ps(lanes(8), rows.v)) {}
    PerRow(__m512 l, __m512 h) : low(l), high(h) {}
    PerRow operator*(F32 x) const { return {_mm512_mul_ps(low, x.v), _mm512_mul_ps(high, x.v)}; }
    static __m512i lanes(int first) {
      return _mm512_add_epi32(_mm512_set1_epi32(first),
                              _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0));
    }
  };
  /// Codes of rows 0-7 and 8-15: lane i has row i / 2, its column i % 2 in the middle two bytes, column 2 + i % 2 in
  /// the others.
  struct Spread {
    __m512i low, high;
    explicit Spread(Quad codes)
        : low(_mm512_permutexvar_epi8(_mm512_load_si512(kOrder.low), codes.v)),
          high(_mm512_permutexvar_epi8(_mm512_load_si512(kOrder.high), codes.v)) {}
    Spread(__m512i l, __m512i h) : low(l), high(h) {}
    Spread other_columns() const { return {_mm512_ror_epi32(low, 16), _mm512_ror_epi32(high, 16)}; }
    __m512i weights(int mask, float origin, const PerRow& scale, const PerRow& sum) const {
      return reinterpret_cast<__m512i>(
          _mm512_cvtne2ps_pbh(_mm512_fmadd_ps(number(high, mask, origin), scale.high, sum.high),
                              _mm512_fmadd_ps(number(low, mask, origin), scale.low, sum.low)));
    }
    static __m512 number(__m512i codes, int mask, float origin) {
      constexpr int and_or = 0xEA;  // (a & b) | c
      return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(codes, _mm512_set1_epi32(mask),
                                                           _mm512_castps_si512(_mm512_set1_ps(origin)), and_or));
    }
  };
  struct Order {
    alignas(64) uint8_t low[64];
    alignas(64) uint8_t high[64];
  };
  static constexpr Order kOrder = [] {
    Order order{};
    for (int lane = 0; lane < 16; ++lane)
      for (int byte = 0; byte < 4; ++byte) {
        const int column = lane % 2 + (byte == 1 || byte == 2 ? 0 : 2);
        order.low[4 * lane + byte] = static_cast<uint8_t>(lane / 2 * 4 + column);
        order.high[4 * lane + byte] = static_cast<uint8_t>(32 + lane / 2 * 4 + column);
      }
    return order;
  }();
  /// What two columns have in common, in the lanes of all rows.
  static PerRow of_columns(const float* two) {
    double bits;
    std::memcpy(&bits, two, sizeof bits);
    const __m512 lanes = _mm512_castpd_ps(_mm512_set1_pd(bits));
    return {lanes, lanes};
  }
  static F32 sum(F32 scale, F32 minus, float origin) { return (F32::zero() - minus).fnma(scale, F32::set1(origin)); }

  PerRow scale_, sum_, upper_sum_;
};

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
