// The vocabulary in portable C++: the reference for every other instruction set, and the fallback on any machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/quants/half.h"

namespace ingle::core::scalar {

struct Pairs {
  int16_t v[32];
};

struct Quad {
  uint8_t v[64];
  static Quad load(const void* p) {
    Quad q;
    std::memcpy(q.v, p, 64);
    return q;
  }
  void store(void* p) const { std::memcpy(p, v, 64); }
  template <int n>
  Quad shift_right_and(uint8_t mask) const {
    Quad r;
    for (int i = 0; i < 64; ++i) r.v[i] = static_cast<uint8_t>((v[i] >> n) & mask);
    return r;
  }
  template <int n>
  Quad shift_left_and(uint8_t mask) const {
    Quad r;
    for (int i = 0; i < 64; ++i) r.v[i] = static_cast<uint8_t>((v[i] << n) & mask);
    return r;
  }
  Quad operator|(const Quad& b) const {
    Quad r;
    for (int i = 0; i < 64; ++i) r.v[i] = v[i] | b.v[i];
    return r;
  }
  Quad lookup(const int8_t* table) const {
    Quad r;
    for (int i = 0; i < 64; ++i) r.v[i] = static_cast<uint8_t>(table[v[i] & 15]);
    return r;
  }
  Quad flip_sign() const {
    Quad r;
    for (int i = 0; i < 64; ++i) r.v[i] = v[i] ^ 0x80;
    return r;
  }
  static constexpr int32_t signed_zero = 0;
  const Quad& prepare_signed() const { return *this; }
  template <int odd>
  Pairs pairs() const {
    Pairs r;
    for (int i = 0; i < 32; ++i) r.v[i] = static_cast<int8_t>(v[2 * i + odd]);
    return r;
  }
};

struct I32 {
  int32_t v[16];
  static constexpr int tile_rows = 4;  ///< of activations that a panel is multiplied by at once
  static I32 sum_from(int32_t x) {
    I32 r;
    for (int32_t& lane : r.v) lane = x;
    return r;
  }
  static I32 zero() { return sum_from(0); }
  static void add_up(const int8_t* p, int16_t* sums) {
    sums[0] = sums[1] = 0;
    for (int i = 0; i < 16; ++i) sums[i / 2 % 2] = static_cast<int16_t>(sums[i / 2 % 2] + p[i]);
  }
  I32 dot_unsigned(const Quad& w, const int8_t* a) const {
    I32 r;
    for (int i = 0; i < 16; ++i)
      r.v[i] = v[i] + w.v[4 * i] * a[0] + w.v[4 * i + 1] * a[1] + w.v[4 * i + 2] * a[2] + w.v[4 * i + 3] * a[3];
    return r;
  }
  I32 dot_signed(const Quad& w, const int8_t* a) const {
    I32 r;
    for (int i = 0; i < 16; ++i) {
      r.v[i] = v[i];
      for (int k = 0; k < 4; ++k) r.v[i] += static_cast<int8_t>(w.v[4 * i + k]) * a[k];
    }
    return r;
  }
  I32 dot_pairs(const Pairs& w, const int16_t* a) const {
    I32 r;
    for (int i = 0; i < 16; ++i) r.v[i] = v[i] + w.v[2 * i] * a[0] + w.v[2 * i + 1] * a[1];
    return r;
  }
};

struct F32 {
  float v[16];
  static constexpr int registers = 8;  ///< that the processor has of these
  template <typename Function>
  static F32 make(Function f) {
    F32 r;
    for (int i = 0; i < 16; ++i) r.v[i] = f(i);
    return r;
  }
  static F32 zero() { return set1(0.0f); }
  static F32 set1(float x) {
    return make([&](int) { return x; });
  }
  static F32 load(const float* p) {
    F32 r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
  }
  static F32 load_n(const float* p, size_t n) {
    F32 r = zero();
    std::memcpy(r.v, p, n * sizeof(float));
    return r;
  }
  void store(float* p) const { std::memcpy(p, v, sizeof v); }
  void store_n(float* p, size_t n) const { std::memcpy(p, v, n * sizeof(float)); }
  static F32 load_f16(const void* p) {
    uint16_t bits[16];
    std::memcpy(bits, p, sizeof bits);
    return make([&](int i) { return f16_to_f32(bits[i]); });
  }
  void store_f16(void* p) const {
    uint16_t bits[16];
    for (int i = 0; i < 16; ++i) bits[i] = f32_to_f16(v[i]);
    std::memcpy(p, bits, sizeof bits);
  }
  static F32 load_bf16(const void* p) {
    uint16_t bits[16];
    std::memcpy(bits, p, sizeof bits);
    return make([&](int i) { return bf16_to_f32(bits[i]); });
  }
  static F32 load_u8(const void* p) {
    return make([&](int i) { return static_cast<float>(static_cast<const uint8_t*>(p)[i]); });
  }
  static F32 load_i8(const void* p) {
    return make([&](int i) { return static_cast<float>(static_cast<const int8_t*>(p)[i]); });
  }
  static F32 from(const I32& x) { return convert(x); }
  static F32 convert(const I32& x) {
    return make([&](int i) { return static_cast<float>(x.v[i]); });
  }
  template <int k>
  static F32 from_byte(const Quad& q) {
    return make([&](int i) { return static_cast<float>(q.v[4 * i + k]); });
  }
  F32 operator+(const F32& b) const {
    return make([&](int i) { return v[i] + b.v[i]; });
  }
  F32 operator-(const F32& b) const {
    return make([&](int i) { return v[i] - b.v[i]; });
  }
  F32 operator*(const F32& b) const {
    return make([&](int i) { return v[i] * b.v[i]; });
  }
  F32 operator/(const F32& b) const {
    return make([&](int i) { return v[i] / b.v[i]; });
  }
  F32 fma(const F32& a, const F32& b) const {
    return make([&](int i) { return v[i] + a.v[i] * b.v[i]; });
  }
  F32 fnma(const F32& a, const F32& b) const {
    return make([&](int i) { return v[i] - a.v[i] * b.v[i]; });
  }
  static F32 max(const F32& a, const F32& b) {
    return make([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static F32 min(const F32& a, const F32& b) {
    return make([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  F32 abs() const {
    return make([&](int i) { return std::fabs(v[i]); });
  }
  F32 round() const {
    return make([&](int i) { return std::nearbyint(v[i]); });
  }
  F32 exp2i() const {
    return make([&](int i) {
      const auto bits = static_cast<uint32_t>(static_cast<int32_t>(v[i]) + 127) << 23;
      float r;
      std::memcpy(&r, &bits, 4);
      return r;
    });
  }
  // 2^-127 has no bits that are set: below the normal numbers there is zero.
  F32 times_exp2(const F32& n) const { return *this * max(n, set1(-127.0f)).exp2i(); }
  void store_i16_swapped(int16_t* p) const {
    for (int i = 0; i < 16; ++i) {
      const int from = i % 4 == 1 ? i + 1 : i % 4 == 2 ? i - 1 : i;
      p[i] = static_cast<int16_t>(std::nearbyint(v[from]));
    }
  }
  void store_i8(int8_t* p) const {
    for (int i = 0; i < 16; ++i) {
      const float x = std::nearbyint(v[i]);
      p[i] = static_cast<int8_t>(x > 127 ? 127 : x < -128 ? -128 : x);
    }
  }
  template <int distance>
  F32 swap() const {
    return make([&](int i) { return v[i ^ distance]; });
  }
  float reduce_add() const {
    // The order of the other instruction sets: halves, then quarters, then pairs.
    float t[16];
    store(t);
    for (int width = 8; width > 0; width /= 2)
      for (int i = 0; i < width; ++i) t[i] += t[i + width];
    return t[0];
  }
  float reduce_max() const {
    float m = v[0];
    for (const float x : v) m = x > m ? x : m;
    return m;
  }
};

using MatrixUnit = void;
using I16 = void;

}  // namespace ingle::core::scalar
