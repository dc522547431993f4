// The vocabulary on AVX2 with FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "core/simd/region_avx2.h"
namespace ingle::core::avx2 {

inline constexpr int32_t kSignedZero = 0;
inline constexpr int kTileRows = 4;  // each product needs a register before it is added
/// A sum that must be complete here: g++ makes a tree of a long chain of sums, for which there are not enough
/// registers.
inline __m256i completed(__m256i sum) {
  asm("" : "+x"(sum));
  return sum;
}
inline __m256i add_unsigned(__m256i acc, __m256i w, __m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(w, x);
  return completed(_mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}
/// |w| * sign(x, w): activations never are -128, and 2 * 128 * 127 fits int16.
inline __m256i add_signed(__m256i acc, __m256i w, __m256i x) {
  return add_unsigned(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
}

#include "core/simd/ymm.inc.h"

using MatrixUnit = void;

/// Sums of 16 bits: half of the instructions of sums of 32. VPMADDUBSW saturates, but two products of a code of at most
/// 127 and an activation of at most 127 fit. Its results are added modulo 2^16, so a sum is right if its last value
/// fits.
struct I16 {
  __m256i a, b;
  /// So many quads: each has two products of an activation with a code, less its zero, which is at most `largest_code`.
  static constexpr int longest(int largest_code) { return 32767 / (2 * 127 * largest_code); }
  static I16 zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static I16 sum_from(const int16_t* sums, int32_t factor) {
    int32_t bits;
    std::memcpy(&bits, sums, 4);
    const __m256i x = _mm256_mullo_epi16(_mm256_set1_epi32(bits), _mm256_set1_epi16(static_cast<int16_t>(factor)));
    return {x, x};
  }
  I16 operator+(I16 o) const { return {_mm256_add_epi16(a, o.a), _mm256_add_epi16(b, o.b)}; }
  I16 dot_unsigned(Quad w, const int8_t* p) const {
    const __m256i x = I32::broadcast4(p);
    return {completed(_mm256_add_epi16(a, _mm256_maddubs_epi16(w.a, x))),
            completed(_mm256_add_epi16(b, _mm256_maddubs_epi16(w.b, x)))};
  }
  I32 widen() const {
    const __m256i ones = _mm256_set1_epi16(1);
    return {_mm256_madd_epi16(a, ones), _mm256_madd_epi16(b, ones)};
  }
};

}  // namespace ingle::core::avx2
#include "core/simd/region_end.h"
