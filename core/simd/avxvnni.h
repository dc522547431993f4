// The vocabulary on AVX-VNNI: AVX2 with VPDPBUSD, for client processors without AVX-512.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "core/simd/region_avxvnni.h"
namespace ingle::core::avxvnni {

inline constexpr int32_t kSignedZero = 128;
inline constexpr int kTileRows = 6;  // 12 sums, 2 registers of weights, 1 of activations
inline __m256i add_unsigned(__m256i acc, __m256i w, __m256i x) {
  return _mm256_dpbusd_avx_epi32(acc, w, x);
}
inline __m256i add_signed(__m256i acc, __m256i w, __m256i x) {
  return _mm256_dpbusd_avx_epi32(acc, w, x);
}

#include "core/simd/ymm.inc.h"

using MatrixUnit = void;
using I16 = void;

}  // namespace ingle::core::avxvnni
#include "core/simd/region_end.h"
