// NEON with the 8-bit matrix products of Armv8.6: the vectors of neon.h, and a matrix unit.
#pragma once

#include "core/simd/neon.h"
#include "core/simd/region_i8mm.h"
namespace ingle::core::i8mm {

using neon::F32;
using neon::I16;
using neon::I32;
using neon::Pairs;
using neon::Quad;

/// SMMLA: a register holds 2 rows x 8 columns of bytes, and one instruction multiplies two such registers into 2 x 2
/// int32. Codes are at most 127 or signed, so one instruction serves both.
struct MatrixUnit {
  static constexpr int columns = 8;  ///< of weights and activations that one step multiplies

  /// 16 rows x 8 columns of weights, as arrange() leaves them: register i has rows 2i and 2i + 1.
  struct Weights {
    int8x16_t v[8];
    static Weights load(const uint8_t* block) {
      Weights r;
      for (int i = 0; i < 8; ++i) r.v[i] = vreinterpretq_s8_u8(vld1q_u8(block + 16 * i));
      return r;
    }
  };

  /// Two consecutive quads of a panel to one Weights, in place: their 32-bit lanes, which are rows, alternate.
  static void arrange(uint8_t* block) {
    const Quad left = Quad::load(block), right = Quad::load(block + 64);
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t a = vreinterpretq_u32_u8(left.v[i]), b = vreinterpretq_u32_u8(right.v[i]);
      vst1q_u8(block + 32 * i, vreinterpretq_u8_u32(vzip1q_u32(a, b)));
      vst1q_u8(block + 32 * i + 16, vreinterpretq_u8_u32(vzip2q_u32(a, b)));
    }
  }

  /// The products of 2 rows of activations with 16 of weights. Register i belongs to weight rows 2i and 2i + 1: its
  /// lower half to the first row of activations, its upper half to the second.
  struct Sums {
    int32x4_t v[8];
    static Sums zero() {
      Sums r;
      for (int i = 0; i < 8; ++i) r.v[i] = vdupq_n_s32(0);
      return r;
    }
    /// this + the products of w and 8 activations of either row.
    Sums add(const Weights& w, const int8_t* first, const int8_t* second) const {
      const int8x16_t a = vcombine_s8(vld1_s8(first), vld1_s8(second));
      Sums r;
      for (int i = 0; i < 8; ++i) r.v[i] = vmmlaq_s32(v[i], a, w.v[i]);
      return r;
    }
    /// Activation row n (0 or 1) alone.
    template <int n>
    I32 row() const {
      I32 r;
      for (int i = 0; i < 4; ++i) {
        const int64x2_t a = vreinterpretq_s64_s32(v[2 * i]), b = vreinterpretq_s64_s32(v[2 * i + 1]);
        r.v[i] = vreinterpretq_s32_s64(n == 0 ? vzip1q_s64(a, b) : vzip2q_s64(a, b));
      }
      return r;
    }
  };
};

}  // namespace ingle::core::i8mm
#include "core/simd/region_end.h"
