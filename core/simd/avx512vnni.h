// The vocabulary on AVX-512 with VNNI: each type is one zmm register.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "core/simd/region_avx512vnni.h"
namespace ingle::core::avx512vnni {

struct Pairs {
  __m512i v;
};

struct Quad {
  __m512i v;
  static Quad load(const void* p) { return {_mm512_loadu_si512(p)}; }
  void store(void* p) const { _mm512_storeu_si512(p, v); }
  /// (this >> n) & mask per byte; mask must clear what crosses from the neighbouring byte.
  template <int n>
  Quad shift_right_and(uint8_t mask) const {
    return {_mm512_and_si512(n == 0 ? v : _mm512_srli_epi16(v, n), _mm512_set1_epi8(static_cast<char>(mask)))};
  }
  template <int n>
  Quad shift_left_and(uint8_t mask) const {
    return {_mm512_and_si512(n == 0 ? v : _mm512_slli_epi16(v, n), _mm512_set1_epi8(static_cast<char>(mask)))};
  }
  Quad operator|(Quad b) const { return {_mm512_or_si512(v, b.v)}; }
  /// Each byte (0..15) replaced by its entry of a 16-byte table.
  Quad lookup(const int8_t* table) const {
    return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), v)};
  }
  Quad flip_sign() const { return {_mm512_xor_si512(v, _mm512_set1_epi8(static_cast<char>(0x80)))}; }
  /// Signed bytes in the form that dot_signed takes: value + signed_zero.
  static constexpr int32_t signed_zero = 128;
  Quad prepare_signed() const { return flip_sign(); }
  /// Of each row the signed bytes 0 and 2, or 1 and 3 where odd, as 16-bit integers.
  template <int odd>
  Pairs pairs() const {
    return {_mm512_srai_epi16(odd ? v : _mm512_slli_epi16(v, 8), 8)};
  }
};

struct I32 {
  __m512i v;
  static constexpr int tile_rows = 6;  ///< of activations that a panel is multiplied by at once
  /// The integer x as the low bits of the float 1.5 * 2^23 + x: F32::from() then subtracts instead of converting, which
  /// leaves the units that multiply alone on some processors.
  static constexpr int32_t origin = 0x4B400000;
  static I32 sum_from(int32_t x) { return {_mm512_set1_epi32(origin + x)}; }
  /// Where sums of dot_pairs() start; they may take all 32 bits, and F32::convert() reads them.
  static I32 zero() { return {_mm512_setzero_si512()}; }
  /// Of the 16 bytes at p the sums of columns 0 and 1 of every four, and of columns 2 and 3.
  static void add_up(const int8_t* p, int16_t* sums) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), bytes);
    const __m128i halves = _mm_add_epi16(pairs, _mm_unpackhi_epi64(pairs, pairs));
    const int32_t bits = _mm_cvtsi128_si32(_mm_add_epi16(halves, _mm_shuffle_epi32(halves, 1)));
    std::memcpy(sums, &bits, 4);
  }
  static __m512i broadcast4(const int8_t* a) {
    int32_t bits;
    std::memcpy(&bits, a, 4);
    return _mm512_set1_epi32(bits);
  }
  /// Per row: this + sum of 4 products of w (0..127) and the 4 activations at `a`.
  I32 dot_unsigned(Quad w, const int8_t* a) const { return {_mm512_dpbusd_epi32(v, w.v, broadcast4(a))}; }
  /// The same for any signed w, given as prepare_signed().
  I32 dot_signed(Quad w, const int8_t* a) const { return {_mm512_dpbusd_epi32(v, w.v, broadcast4(a))}; }
  /// this + factor * (sums[0] + sums[1]) in all rows. Where a set has it, it is cheaper than sum_from() of a number
  /// that has to be computed.
  I32 add_sums(const int16_t* sums, int32_t factor) const {
    return dot_pairs({_mm512_set1_epi16(static_cast<int16_t>(factor))}, sums);
  }
  /// Per row: this + w[0] * a[0] + w[1] * a[1].
  I32 dot_pairs(Pairs w, const int16_t* a) const {
    int32_t bits;
    std::memcpy(&bits, a, 4);
    return {_mm512_dpwssd_epi32(v, w.v, _mm512_set1_epi32(bits))};
  }
};

struct F32 {
  __m512 v;
  static constexpr int registers = 32;  ///< that the processor has of these
  static F32 zero() { return {_mm512_setzero_ps()}; }
  static F32 set1(float x) { return {_mm512_set1_ps(x)}; }
  static F32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static F32 load_n(const float* p, size_t n) {
    return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_n(float* p, size_t n) const { _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v); }
  static F32 load_f16(const void* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)))}; }
  void store_f16(void* p) const {
    _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static F32 load_bf16(const void* p) {
    return {_mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16))};
  }
  static F32 load_u8(const void* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))))};
  }
  static F32 load_i8(const void* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))))};
  }
  static F32 from(I32 x) { return {_mm512_sub_ps(_mm512_castsi512_ps(x.v), _mm512_set1_ps(12582912.0f))}; }
  static F32 convert(I32 x) { return {_mm512_cvtepi32_ps(x.v)}; }
  /// Byte `k` (0..3) of each row of an unsigned quad.
  template <int k>
  static F32 from_byte(Quad q) {
    return {_mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(q.v, 8 * k), _mm512_set1_epi32(255)))};
  }
  F32 operator+(F32 b) const { return {_mm512_add_ps(v, b.v)}; }
  F32 operator-(F32 b) const { return {_mm512_sub_ps(v, b.v)}; }
  F32 operator*(F32 b) const { return {_mm512_mul_ps(v, b.v)}; }
  F32 operator/(F32 b) const { return {_mm512_div_ps(v, b.v)}; }
  /// this + a * b
  F32 fma(F32 a, F32 b) const { return {_mm512_fmadd_ps(a.v, b.v, v)}; }
  /// this - a * b
  F32 fnma(F32 a, F32 b) const { return {_mm512_fnmadd_ps(a.v, b.v, v)}; }
  static F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
  static F32 min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
  F32 abs() const { return {_mm512_abs_ps(v)}; }
  F32 round() const { return {_mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
  /// 2^this for integral this in [-126, 127].
  F32 exp2i() const {
    return {
        _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(127)), 23))};
  }
  /// this * 2^n for integral n.
  F32 times_exp2(F32 n) const { return {_mm512_scalef_ps(v, n.v)}; }
  /// Rounded to nearest even, as 16-bit integers; of every four the second and the third change places, which is the
  /// order of Quad::pairs().
  void store_i16_swapped(int16_t* p) const {
    const __m512i swapped = _mm512_shuffle_epi32(_mm512_cvtps_epi32(v), _MM_PERM_DBCA);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(swapped));
  }
  /// Rounded to nearest even and saturated to int8.
  void store_i8(int8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v)));
  }
  /// Lanes i and i ^ distance change places; 1, 2, 4 or 8.
  template <int distance>
  F32 swap() const {
    if constexpr (distance < 4)
      return {_mm512_permute_ps(v, distance == 1 ? 0xB1 : 0x4E)};
    else
      return {_mm512_shuffle_f32x4(v, v, distance == 4 ? 0xB1 : 0x4E)};
  }
  float reduce_add() const { return _mm512_reduce_add_ps(v); }
  float reduce_max() const { return _mm512_reduce_max_ps(v); }
};

using MatrixUnit = void;
using I16 = void;

}  // namespace ingle::core::avx512vnni
#include "core/simd/region_end.h"
