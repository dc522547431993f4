// The packed formats' kernels as templates over the vector vocabulary. Included inside an instruction set's region,
// after `namespace ingle::core::INGLE_ISA {`; no include guard on purpose. The tile's layout is described in packed.h.

#include "core/kernels/dot_quads.inc.h"

// Quad j (0..7) of 32 columns' code planes, as unsigned bytes.
template <int bits, int j>
inline Quad code_quad(const uint8_t* planes) {
  if constexpr (bits == 8) {
    return Quad::load(planes + 64 * j);
  } else if constexpr (bits == 4) {
    return Quad::load(planes + 64 * (j % 4)).template shift_right_and < j<4 ? 0 : 4>(15);
  } else if constexpr (bits == 2) {
    return Quad::load(planes + 64 * (j / 4)).template shift_right_and<j % 4 * 2>(3);
  } else if constexpr (bits == 3) {
    const Quad plane = Quad::load(planes + 128);
    if constexpr (j <= 2)
      return code_quad<2, j>(planes) | plane.template shift_left_and<2 - j>(4);
    else
      return code_quad<2, j>(planes) | plane.template shift_right_and<j - 2>(4);
  } else if constexpr (bits == 5) {
    const Quad plane = Quad::load(planes + 256);
    if constexpr (j <= 4)
      return code_quad<4, j>(planes) | plane.template shift_left_and<4 - j>(16);
    else
      return code_quad<4, j>(planes) | plane.template shift_right_and<j - 4>(16);
  } else {
    static_assert(bits == 6);
    const Quad plane = Quad::load(planes + 256 + 64 * (j / 4));
    constexpr int at = j % 4 * 2;
    if constexpr (at <= 4)
      return code_quad<4, j>(planes) | plane.template shift_left_and<4 - at>(48);
    else
      return code_quad<4, j>(planes) | plane.template shift_right_and<at - 4>(48);
  }
}

/// Reads one shape of tile; the parameters are CodeShape's.
template <int bits, int columns_, int group, bool has_min, bool is_signed, bool has_codebook, int zero>
struct Tile {
  static constexpr int columns = columns_;
  static constexpr int halves = 32 / group;
  static constexpr bool signed_codes = is_signed || has_codebook;
  static constexpr bool min = has_min;
  static constexpr bool nibbles = bits == 4;
  static constexpr int bias = signed_codes ? Quad::signed_zero : zero;  // what must be subtracted from a quad's bytes
  static constexpr int largest_code = signed_codes ? 128 : std::max(zero, (1 << bits) - 1 - zero);
  static constexpr int scale_codes = columns == 256 ? columns / group * 16 : 0;
  static constexpr int planes_bytes = bits * 64;
  static constexpr int bytes = planes_bytes * (columns / 32) + (has_min ? 2 : 1) * (scale_codes + 32);

  const uint8_t* p;
  F32 d, m;

  explicit Tile(const uint8_t* tile) : p(tile) {
    const uint8_t* tail = tile + planes_bytes * (columns / 32) + (has_min ? 2 : 1) * scale_codes;
    d = F32::load_f16(tail);
    if constexpr (has_min) m = F32::load_f16(tail + 32);
  }

  template <int j>
  Quad quad(int g) const {
    const Quad q = code_quad<bits, j>(p + planes_bytes * g);
    if constexpr (has_codebook)
      return q.lookup(kCodebook.data()).prepare_signed();
    else if constexpr (is_signed)
      return q.prepare_signed();
    else
      return q;
  }
  /// Where codes are nibbles: quads j and j + 4, as they are stored.
  Quad plane(int g, int j) const { return Quad::load(p + planes_bytes * g + 64 * j); }
  F32 scale(int g, int half) const {
    if constexpr (columns == 32)
      return d;
    else
      return d * F32::load_i8(p + planes_bytes * (columns / 32) + (g * halves + half) * 16);
  }
  F32 min_value(int g, int half) const {
    if constexpr (!has_min)
      return F32::zero();
    else if constexpr (columns == 32)
      return m;
    else
      return m * F32::load_i8(p + planes_bytes * (columns / 32) + scale_codes + (g * halves + half) * 16);
  }
};

/// All layouts, in the order of packed_layouts().
using PackedTiles = std::tuple<Tile<4, 32, 32, false, false, false, 8>,     // Q4_0
                               Tile<4, 32, 32, true, false, false, 0>,      // Q4_1
                               Tile<5, 32, 32, false, false, false, 16>,    // Q5_0
                               Tile<5, 32, 32, true, false, false, 0>,      // Q5_1
                               Tile<8, 32, 32, false, true, false, 0>,      // Q8_0
                               Tile<4, 32, 32, false, false, true, 0>,      // IQ4_NL
                               Tile<4, 256, 32, true, false, false, 0>,     // Q4_K
                               Tile<5, 256, 32, true, false, false, 0>,     // Q5_K
                               Tile<4, 256, 32, false, false, true, 0>,     // IQ4_XS
                               Tile<2, 256, 16, true, false, false, 0>,     // Q2_K
                               Tile<3, 256, 16, false, false, false, 4>,    // Q3_K
                               Tile<6, 256, 16, false, false, false, 32>>;  // Q6_K
static_assert(std::tuple_size_v<PackedTiles> == kLayoutCount);

/// f.operator()<Tile>(index) for the layouts [first, last).
template <size_t first, size_t last, typename Function>
inline void for_each_layout(Function f) {
  if constexpr (first < last) {
    f.template operator()<std::tuple_element_t<first, PackedTiles>>(first);
    for_each_layout<first + 1, last>(f);
  }
}

// One 32-column group against M rows: acc += scale * d * ((codes - bias) . q) - min * sum.
template <typename T, int M>
INGLE_INLINE inline void group_dot(const T& tile, int g, const ActivationGroup* const* rows, size_t at, F32* acc) {
  constexpr int chain = short_quads<I16>(T::largest_code, 8 / T::halves);
  static_assert(chain == 0 || chain == 8 / T::halves || T::bias == 0);  // a bias is taken off one sum
  unroll<T::halves>([&]<int h>() INGLE_INLINE {
    I32 dots[1][M];
    dot_quads<I16, T::halves, T::signed_codes, chain>(
        rows, at, h, T::bias, [&]<int j>(int) INGLE_INLINE { return tile.template quad<h * 4 + j>(g); }, dots);
    const F32 scale = tile.scale(g, h);
    for (int i = 0; i < M; ++i) acc[i] = acc[i].fma(F32::from(dots[0][i]), scale * F32::set1(rows[i][at].d));
    if constexpr (T::min) {
      const F32 min = tile.min_value(g, h);
      for (int i = 0; i < M; ++i) acc[i] = acc[i].fnma(min, F32::set1(rows[i][at].template value_sum<T::halves>(h)));
    }
  });
}

template <typename T, int M>
void direct(const std::byte* panel, size_t tiles, const ActivationGroup* const* rows, float* result,
            const Prefetch& prefetch) {
  constexpr size_t groups = T::columns / 32, own_lines = (T::bytes + groups * 64 - 1) / (groups * 64);
  const size_t lines = M == 1 ? own_lines : prefetch.lines, step = M == 1 ? T::bytes : prefetch.step;
  F32 acc[M];
  for (int i = 0; i < M; ++i) acc[i] = F32::zero();
  const auto* p = reinterpret_cast<const uint8_t*>(panel);
  size_t at = 0;
  for (size_t t = 0; t < tiles; ++t, p += T::bytes) {
    const T tile(p);
    uintptr_t soon = prefetch.from + t * step;
    for (size_t g = 0; g < groups; ++g, ++at) {
      for (size_t line = 0; line < lines; ++line, soon += 64) __builtin_prefetch(reinterpret_cast<const void*>(soon));
      group_dot<T, M>(tile, static_cast<int>(g), rows, at, acc);
    }
  }
  for (int i = 0; i < M; ++i) acc[i].store(result + 16 * i);
}

template <typename T, typename Function>
inline void for_each_quad(const T& tile, int g, Function f) {
  f(0, tile.template quad<0>(g));
  f(1, tile.template quad<1>(g));
  f(2, tile.template quad<2>(g));
  f(3, tile.template quad<3>(g));
  f(4, tile.template quad<4>(g));
  f(5, tile.template quad<5>(g));
  f(6, tile.template quad<6>(g));
  f(7, tile.template quad<7>(g));
}

struct StoreQuads {
  uint8_t* out;
  void operator()(int j, Quad q) const { q.store(out + 64 * j); }
};

template <typename T>
void unpack(const std::byte* panel, size_t tiles, const UnpackedPanel& out) {
  const auto* p = reinterpret_cast<const uint8_t*>(panel);
  size_t at = 0;
  for (size_t t = 0; t < tiles; ++t, p += T::bytes) {
    const T tile(p);
    for (int g = 0; g < T::columns / 32; ++g, ++at) {
      for_each_quad(tile, g, StoreQuads{out.quads + at * 512});
      for (int h = 0; h < T::halves; ++h) {
        tile.scale(g, h).store(out.scales + (at * T::halves + h) * 16);
        if constexpr (T::min) tile.min_value(g, h).store(out.mins + (at * T::halves + h) * 16);
      }
    }
  }
}

// Signed codes are made unsigned first (x ^ 0x80 is x + 128), so that from_byte reads them on every instruction set.
template <int halves, bool flip>
struct StoreFloats {
  float* out;
  F32 scale[2], minus[2];
  F32 bias;
  void operator()(int j, Quad q) const {
    const int h = halves == 2 ? j / 4 : 0;
    if constexpr (flip) q = q.flip_sign();
    (scale[h] * (F32::from_byte<0>(q) - bias) - minus[h]).store(out + (4 * j + 0) * 16);
    (scale[h] * (F32::from_byte<1>(q) - bias) - minus[h]).store(out + (4 * j + 1) * 16);
    (scale[h] * (F32::from_byte<2>(q) - bias) - minus[h]).store(out + (4 * j + 2) * 16);
    (scale[h] * (F32::from_byte<3>(q) - bias) - minus[h]).store(out + (4 * j + 3) * 16);
  }
};

template <typename T>
void unpack_float(const std::byte* panel, size_t tiles, float* out) {
  constexpr bool flip = T::signed_codes && Quad::signed_zero == 0;
  const F32 bias = F32::set1(static_cast<float>(T::signed_codes ? 128 : T::bias));
  const auto* p = reinterpret_cast<const uint8_t*>(panel);
  size_t at = 0;
  for (size_t t = 0; t < tiles; ++t, p += T::bytes) {
    const T tile(p);
    for (int g = 0; g < T::columns / 32; ++g, ++at) {
      StoreFloats<T::halves, flip> store{out + at * 512, {}, {}, bias};
      for (int h = 0; h < T::halves; ++h) {
        store.scale[h] = tile.scale(g, h);
        store.minus[h] = tile.min_value(g, h);
      }
      for_each_quad(tile, g, store);
    }
  }
}

template <typename T>
constexpr PackedKernels packed_kernels() {
  PackedKernels kernels{{direct<T, 1>, direct<T, 2>, direct<T, 3>, direct<T, 4>}, unpack<T>, unpack_float<T>};
  if constexpr (F32::registers == 32) {
    kernels.direct[4] = direct<T, 5>;
    kernels.direct[5] = direct<T, 6>;
    kernels.direct[6] = direct<T, 7>;
    kernels.direct[7] = direct<T, 8>;
  }
  return kernels;
}
