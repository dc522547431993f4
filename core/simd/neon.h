// The vocabulary on Armv8.2 with dot products and half floats: each type is four 128-bit registers (rows 0-3, 4-7, …).
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#include "core/simd/region_neon.h"
namespace ingle::core::neon {

/// 32-bit integers: there is no dot product of 16-bit ones.
struct Pairs {
  int32x4_t first[4], second[4];
};

struct Quad {
  uint8x16_t v[4];
  static Quad load(const void* p) {
    const auto* q = static_cast<const uint8_t*>(p);
    return {{vld1q_u8(q), vld1q_u8(q + 16), vld1q_u8(q + 32), vld1q_u8(q + 48)}};
  }
  void store(void* p) const {
    for (int i = 0; i < 4; ++i) vst1q_u8(static_cast<uint8_t*>(p) + 16 * i, v[i]);
  }
  template <int n>
  Quad shift_right_and(uint8_t mask) const {
    Quad r;
    for (int i = 0; i < 4; ++i) {
      if constexpr (n == 0)
        r.v[i] = vandq_u8(v[i], vdupq_n_u8(mask));
      else
        r.v[i] = vandq_u8(vshrq_n_u8(v[i], n == 0 ? 1 : n), vdupq_n_u8(mask));
    }
    return r;
  }
  template <int n>
  Quad shift_left_and(uint8_t mask) const {
    Quad r;
    for (int i = 0; i < 4; ++i) r.v[i] = vandq_u8(vshlq_n_u8(v[i], n), vdupq_n_u8(mask));
    return r;
  }
  Quad operator|(const Quad& b) const {
    Quad r;
    for (int i = 0; i < 4; ++i) r.v[i] = vorrq_u8(v[i], b.v[i]);
    return r;
  }
  Quad lookup(const int8_t* table) const {
    const uint8x16_t t = vreinterpretq_u8_s8(vld1q_s8(table));
    Quad r;
    for (int i = 0; i < 4; ++i) r.v[i] = vqtbl1q_u8(t, v[i]);
    return r;
  }
  Quad flip_sign() const {
    Quad r;
    for (int i = 0; i < 4; ++i) r.v[i] = veorq_u8(v[i], vdupq_n_u8(0x80));
    return r;
  }
  static constexpr int32_t signed_zero = 0;
  const Quad& prepare_signed() const { return *this; }
  template <int odd>
  Pairs pairs() const {
    Pairs r;
    for (int i = 0; i < 4; ++i) {
      const int32x4_t x = vreinterpretq_s32_u8(v[i]);
      r.first[i] = vshrq_n_s32(vshlq_n_s32(x, 24 - 8 * odd), 24);
      r.second[i] = odd ? vshrq_n_s32(x, 24) : vshrq_n_s32(vshlq_n_s32(x, 8), 24);
    }
    return r;
  }
};

struct I32 {
  int32x4_t v[4];
  static constexpr int tile_rows = 4;  ///< of activations that a panel is multiplied by at once
  static I32 sum_from(int32_t x) {
    const int32x4_t r = vdupq_n_s32(x);
    return {{r, r, r, r}};
  }
  static I32 zero() { return sum_from(0); }
  /// Of the 16 bytes at p the sums of columns 0 and 1 of every four, and of columns 2 and 3.
  static void add_up(const int8_t* p, int16_t* sums) {
    const int16x8_t pairs = vpaddlq_s8(vld1q_s8(p));
    const int16x4_t halves = vadd_s16(vget_low_s16(pairs), vget_high_s16(pairs));
    const int16x4_t both = vadd_s16(halves, vext_s16(halves, halves, 2));
    sums[0] = vget_lane_s16(both, 0);
    sums[1] = vget_lane_s16(both, 1);
  }
  I32 operator+(const I32& b) const {
    I32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vaddq_s32(v[i], b.v[i]);
    return r;
  }
  // Codes are at most 127 and so the same bytes signed.
  I32 dot_unsigned(const Quad& w, const int8_t* a) const { return dot_signed(w, a); }
  I32 dot_signed(const Quad& w, const int8_t* a) const {
    int32_t bits;
    std::memcpy(&bits, a, 4);
    const int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(bits));
    I32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vdotq_s32(v[i], vreinterpretq_s8_u8(w.v[i]), x);
    return r;
  }
  I32 dot_pairs(const Pairs& w, const int16_t* a) const {
    const int32x4_t first = vdupq_n_s32(a[0]), second = vdupq_n_s32(a[1]);
    I32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vmlaq_s32(vmlaq_s32(v[i], w.first[i], first), w.second[i], second);
    return r;
  }
};

struct F32 {
  float32x4_t v[4];
  static constexpr int registers = 8;  ///< that the processor has of these
  static F32 zero() { return set1(0.0f); }
  static F32 set1(float x) {
    const float32x4_t r = vdupq_n_f32(x);
    return {{r, r, r, r}};
  }
  static F32 load(const float* p) { return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}}; }
  static F32 load_n(const float* p, size_t n) {
    float t[16] = {};
    std::memcpy(t, p, n * sizeof(float));
    return load(t);
  }
  void store(float* p) const {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, v[i]);
  }
  void store_n(float* p, size_t n) const {
    float t[16];
    store(t);
    std::memcpy(p, t, n * sizeof(float));
  }
  static F32 load_f16(const void* p) {
    const auto* q = static_cast<const uint8_t*>(p);
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(q + 8 * i)));
    return r;
  }
  void store_f16(void* p) const {
    for (int i = 0; i < 4; ++i) vst1_u8(static_cast<uint8_t*>(p) + 8 * i, vreinterpret_u8_f16(vcvt_f16_f32(v[i])));
  }
  static F32 load_bf16(const void* p) {
    const auto* q = static_cast<const uint8_t*>(p);
    F32 r;
    for (int i = 0; i < 4; ++i)
      r.v[i] = vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(q + 8 * i)), 16));
    return r;
  }
  static F32 load_u8(const void* p) {
    const uint8x16_t x = vld1q_u8(static_cast<const uint8_t*>(p));
    const uint16x8_t low = vmovl_u8(vget_low_u8(x)), high = vmovl_u8(vget_high_u8(x));
    return {{vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
             vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)))}};
  }
  static F32 load_i8(const void* p) {
    const int8x16_t x = vld1q_s8(static_cast<const int8_t*>(p));
    const int16x8_t low = vmovl_s8(vget_low_s8(x)), high = vmovl_s8(vget_high_s8(x));
    return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
             vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
  }
  static F32 from(const I32& x) { return convert(x); }
  static F32 convert(const I32& x) {
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vcvtq_f32_s32(x.v[i]);
    return r;
  }
  template <int k>
  static F32 from_byte(const Quad& q) {
    F32 r;
    for (int i = 0; i < 4; ++i) {
      uint32x4_t lanes = vreinterpretq_u32_u8(q.v[i]);
      if constexpr (k > 0) lanes = vshrq_n_u32(lanes, k == 0 ? 1 : 8 * k);
      r.v[i] = vcvtq_f32_u32(vandq_u32(lanes, vdupq_n_u32(255)));
    }
    return r;
  }
  F32 operator+(const F32& b) const {
    return {{vaddq_f32(v[0], b.v[0]), vaddq_f32(v[1], b.v[1]), vaddq_f32(v[2], b.v[2]), vaddq_f32(v[3], b.v[3])}};
  }
  F32 operator-(const F32& b) const {
    return {{vsubq_f32(v[0], b.v[0]), vsubq_f32(v[1], b.v[1]), vsubq_f32(v[2], b.v[2]), vsubq_f32(v[3], b.v[3])}};
  }
  F32 operator*(const F32& b) const {
    return {{vmulq_f32(v[0], b.v[0]), vmulq_f32(v[1], b.v[1]), vmulq_f32(v[2], b.v[2]), vmulq_f32(v[3], b.v[3])}};
  }
  F32 operator/(const F32& b) const {
    return {{vdivq_f32(v[0], b.v[0]), vdivq_f32(v[1], b.v[1]), vdivq_f32(v[2], b.v[2]), vdivq_f32(v[3], b.v[3])}};
  }
  F32 fma(const F32& a, const F32& b) const {
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vfmaq_f32(v[i], a.v[i], b.v[i]);
    return r;
  }
  F32 fnma(const F32& a, const F32& b) const {
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vfmsq_f32(v[i], a.v[i], b.v[i]);
    return r;
  }
  static F32 max(const F32& a, const F32& b) {
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vmaxnmq_f32(a.v[i], b.v[i]);
    return r;
  }
  static F32 min(const F32& a, const F32& b) {
    F32 r;
    for (int i = 0; i < 4; ++i) r.v[i] = vminnmq_f32(a.v[i], b.v[i]);
    return r;
  }
  F32 abs() const { return {{vabsq_f32(v[0]), vabsq_f32(v[1]), vabsq_f32(v[2]), vabsq_f32(v[3])}}; }
  F32 round() const { return {{vrndnq_f32(v[0]), vrndnq_f32(v[1]), vrndnq_f32(v[2]), vrndnq_f32(v[3])}}; }
  F32 exp2i() const {
    F32 r;
    for (int i = 0; i < 4; ++i)
      r.v[i] = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(v[i]), vdupq_n_s32(127)), 23));
    return r;
  }
  F32 times_exp2(const F32& n) const { return *this * n.exp2i(); }
  void store_i16_swapped(int16_t* p) const {
    for (int i = 0; i < 4; ++i) {
      const int16x4_t x = vqmovn_s32(vcvtnq_s32_f32(v[i]));
      vst1_s16(p + 4 * i, vzip1_s16(x, vext_s16(x, x, 2)));
    }
  }
  void store_i8(int8_t* p) const {
    const int16x8_t low = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(v[0])), vqmovn_s32(vcvtnq_s32_f32(v[1])));
    const int16x8_t high = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(v[2])), vqmovn_s32(vcvtnq_s32_f32(v[3])));
    vst1q_s8(p, vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
  }
  template <int distance>
  F32 swap() const {
    F32 r;
    for (int i = 0; i < 4; ++i) {
      if constexpr (distance < 4)
        r.v[i] = distance == 1 ? vrev64q_f32(v[i]) : vextq_f32(v[i], v[i], 2);
      else
        r.v[i] = v[i ^ (distance / 4)];
    }
    return r;
  }
  float reduce_add() const { return vaddvq_f32(vaddq_f32(vaddq_f32(v[0], v[2]), vaddq_f32(v[1], v[3]))); }
  float reduce_max() const { return vmaxnmvq_f32(vmaxnmq_f32(vmaxnmq_f32(v[0], v[1]), vmaxnmq_f32(v[2], v[3]))); }
};

using MatrixUnit = void;
using I16 = void;

}  // namespace ingle::core::neon
#include "core/simd/region_end.h"
