// The unit of amx.h in portable C++, so that the kernels written for it are tested on any machine.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/quants/half.h"
#include "core/simd/scalar.h"

namespace ingle::core::scalar {

inline void store_bf16(const F32& low, const F32& high, uint16_t* out) {
  for (int i = 0; i < 16; ++i) {
    out[i] = f32_to_bf16(low.v[i]);
    out[16 + i] = f32_to_bf16(high.v[i]);
  }
}

inline void store_bf16_pairs(const F32& even, const F32& odd, uint16_t* out) {
  for (int i = 0; i < 16; ++i) {
    out[2 * i] = f32_to_bf16(even.v[i]);
    out[2 * i + 1] = f32_to_bf16(odd.v[i]);
  }
}

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
