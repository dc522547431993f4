// The unit of amx.h in portable C++, so that the kernels written for it are tested on any machine.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/quants/half.h"
#include "core/simd/scalar.h"

namespace ingle::core::scalar {

inline void store_bf16(const F32& x, uint16_t* out) {
  for (int i = 0; i < 16; ++i) out[i] = f32_to_bf16(x.v[i]);
}
inline void store_bf16(const F32& low, const F32& high, uint16_t* out) {
  store_bf16(low, out);
  store_bf16(high, out + 16);
}

inline void store_bf16_pairs(const F32& even, const F32& odd, uint16_t* out) {
  for (int i = 0; i < 16; ++i) {
    out[2 * i] = f32_to_bf16(even.v[i]);
    out[2 * i + 1] = f32_to_bf16(odd.v[i]);
  }
}

template <bool wide>
class TileDecoder {
 public:
  TileDecoder(const F32& scale, const F32& minus, float bias) : scale_(scale), minus_(minus), bias_(bias) {}
  void store(const Quad& codes, uint16_t* out) const {
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 4; ++column) {
        const float code = static_cast<float>(codes.v[4 * row + column]);
        out[column / 2 * 32 + 2 * row + column % 2] = f32_to_bf16(scale_.v[row] * (code - bias_) - minus_.v[row]);
      }
  }
  static void store_columns(const Quad& codes, const float* scales, uint16_t* out) {
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 4; ++column)
        out[column / 2 * 32 + 2 * row + column % 2] =
            f32_to_bf16(scales[column] * static_cast<float>(codes.v[4 * row + column] - 128));
  }
  void store_nibbles(const Quad& plane, uint16_t* low, uint16_t* high) const {
    store(plane.shift_right_and<0>(15), low);
    store(plane.shift_right_and<4>(15), high);
  }

 private:
  F32 scale_, minus_;
  float bias_;
};

class TileUnit {
 public:
  template <int tile>
  void zero() {
    std::memset(tiles_[tile], 0, kBytes);
  }
  template <int tile>
  void load(const void* from) {
    std::memcpy(tiles_[tile], from, kBytes);
  }
  template <int tile>
  void load_once(const void* from) {
    load<tile>(from);
  }
  template <int tile>
  void store(void* to) const {
    std::memcpy(to, tiles_[tile], kBytes);
  }
  template <int sum, int a, int b>
  void add_products() {
    float sums[16][16];
    uint16_t left[16][32], right[16][16][2];
    store<sum>(sums);
    store<a>(left);
    store<b>(right);
    for (int m = 0; m < 16; ++m)
      for (int k = 0; k < 16; ++k)
        for (int n = 0; n < 16; ++n)
          for (int i = 0; i < 2; ++i) sums[m][n] += bf16_to_f32(left[m][2 * k + i]) * bf16_to_f32(right[k][n][i]);
    load<sum>(sums);
  }

 private:
  static constexpr size_t kBytes = 1024;
  unsigned char tiles_[8][kBytes];
};

}  // namespace ingle::core::scalar
