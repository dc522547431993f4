// Kernels over single rows: norms, quantisation of activations, rotary embedding, activations, sums.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/rows.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/kernels/quantize.inc.h"
#include "core/simd/math.inc.h"

// Of lanes `distance` apart, the sum where that bit of the lane is 0 and the difference where it is 1.
template <int distance>
F32 sums_and_differences(F32 x) {
  static constexpr auto kSigns = [] {
    std::array<float, 16> signs{};
    for (int i = 0; i < 16; ++i) signs[static_cast<size_t>(i)] = (i & distance) == 0 ? 1.0f : -1.0f;
    return signs;
  }();
  return x.template swap<distance>().fma(x, F32::load(kSigns.data()));
}

// In blocks of 2, 4 or 8.
void rotate_small(float* head, size_t head_dim, size_t block) {
  const float factor = 1.0f / std::sqrt(static_cast<float>(block));
  for (size_t i = 0; i < head_dim; i += block) {
    float sums[8] = {};
    for (size_t k = 0; k < block; ++k)
      for (size_t j = 0; j < block; ++j) sums[j] += head[i + k] * (std::popcount(k & j) % 2 == 0 ? factor : -factor);
    std::copy_n(sums, block, head + i);
  }
}

}  // namespace

void quantize_row(const float* x, size_t columns, ActivationGroup* out) {
  for (size_t k = 0; k < columns; k += kGroup, ++out) quantize_group(F32::load(x + k), F32::load(x + k + 16), out);
}

void quantize_rest(const float* x, const ActivationGroup* quantized, size_t columns, ActivationGroup* out) {
  for (size_t k = 0; k < columns; k += kGroup, ++quantized, ++out) {
    const F32 d = F32::set1(quantized->d);
    quantize_group(F32::load(x + k).fnma(F32::load_i8(quantized->q), d),
                   F32::load(x + k + 16).fnma(F32::load_i8(quantized->q + 16), d), out);
  }
}

void rms_norm(const float* x, const float* weight, float epsilon, size_t n, float* out) {
  F32 sums[4];  // that do not wait for each other
  for (F32& sum : sums) sum = F32::zero();
  size_t i = 0;
  for (; i + 64 <= n; i += 64)
    for (size_t k = 0; k < 4; ++k) sums[k] = sums[k].fma(F32::load(x + i + 16 * k), F32::load(x + i + 16 * k));
  for (; i < n; i += 16) {
    const F32 y = F32::load_n(x + i, std::min<size_t>(16, n - i));
    sums[0] = sums[0].fma(y, y);
  }
  const float squares = ((sums[0] + sums[1]) + (sums[2] + sums[3])).reduce_add();
  const F32 factor = F32::set1(1.0f / std::sqrt(squares / static_cast<float>(n) + epsilon));
  for (i = 0; i < n; i += 16) {
    const size_t count = std::min<size_t>(16, n - i);
    F32 y = F32::load_n(x + i, count) * factor;
    if (weight != nullptr) y = y * F32::load_n(weight + i, count);
    y.store_n(out + i, count);
  }
}

void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, size_t n, float* out) {
  const auto count = static_cast<float>(n);
  const auto sum = [&](auto term) {
    F32 sums[2] = {F32::zero(), F32::zero()};  // that do not wait for each other
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
      for (size_t k = 0; k < 2; ++k) sums[k] = term(sums[k], F32::load(x + i + 16 * k));
    for (; i < n; i += 16) sums[0] = term(sums[0], F32::load_n(x + i, std::min<size_t>(16, n - i)));
    return (sums[0] + sums[1]).reduce_add();
  };
  const float mean = sum([](F32 total, F32 y) { return total + y; }) / count;
  // The zeros that load_n() adds beyond the row are taken off again.
  float squares = sum([&](F32 total, F32 y) {
    const F32 off = y - F32::set1(mean);
    return total.fma(off, off);
  });
  squares -= mean * mean * static_cast<float>((16 - n % 16) % 16);
  const F32 factor = F32::set1(1.0f / std::sqrt(squares / count + epsilon)), middle = F32::set1(mean);
  for (size_t i = 0; i < n; i += 16) {
    const size_t left = std::min<size_t>(16, n - i);
    F32 y = (F32::load_n(x + i, left) - middle) * factor;
    y = F32::load_n(bias + i, left).fma(y, F32::load_n(weight + i, left));
    y.store_n(out + i, left);
  }
}

void rope(float* head, const RopeArgs& args) {
  const size_t half = args.rotary / 2;
  if (args.interleaved) {
    for (size_t i = 0; i < half; ++i) {
      const float x = head[2 * i], y = head[2 * i + 1];
      head[2 * i] = x * args.cosines[i] - y * args.sines[i];
      head[2 * i + 1] = x * args.sines[i] + y * args.cosines[i];
    }
    return;
  }
  for (size_t i = 0; i < half; i += 16) {
    const size_t n = std::min<size_t>(16, half - i);
    const F32 x = F32::load_n(head + i, n), y = F32::load_n(head + half + i, n);
    const F32 c = F32::load_n(args.cosines + i, n), s = F32::load_n(args.sines + i, n);
    (x * c - y * s).store_n(head + i, n);
    (x * s + y * c).store_n(head + half + i, n);
  }
}

void activate(Activation kind, const float* x, size_t n, float* out) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t count = std::min<size_t>(16, n - i);
    activate(kind, F32::load_n(x + i, count)).store_n(out + i, count);
  }
}

void gate(Activation kind, const float* gates, const float* up, size_t n, float* out) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t count = std::min<size_t>(16, n - i);
    const F32 g = F32::load_n(gates + i, count);
    (activate(kind, g) * F32::load_n(up + i, count)).store_n(out + i, count);
  }
}

void add(const float* a, const float* b, size_t n, float* out) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t count = std::min<size_t>(16, n - i);
    (F32::load_n(a + i, count) + F32::load_n(b + i, count)).store_n(out + i, count);
  }
}

void scale(const float* x, float factor, float cap, size_t n, float* out) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t count = std::min<size_t>(16, n - i);
    F32 y = F32::load_n(x + i, count) * F32::set1(factor);
    if (cap != 0.0f) y = tanh(y / F32::set1(cap)) * F32::set1(cap);
    y.store_n(out + i, count);
  }
}

// The fast Walsh-Hadamard transform: sums and differences at shrinking distances, those within 16 neighbours last.
void rotate(float* head, size_t head_dim) {
  const size_t block = head_dim & (~head_dim + 1);
  if (block < 16) return rotate_small(head, head_dim, block);
  for (size_t distance = block / 2; distance >= 16; distance /= 2)
    for (size_t i = 0; i < head_dim; i += 2 * distance)
      for (size_t j = i; j < i + distance; j += 16) {
        const F32 x = F32::load(head + j), y = F32::load(head + j + distance);
        (x + y).store(head + j);
        (x - y).store(head + j + distance);
      }
  const F32 factor = F32::set1(1.0f / std::sqrt(static_cast<float>(block)));
  for (size_t i = 0; i < head_dim; i += 16) {
    F32 x = F32::load(head + i) * factor;
    x = sums_and_differences<8>(x);
    x = sums_and_differences<4>(x);
    x = sums_and_differences<2>(x);
    sums_and_differences<1>(x).store(head + i);
  }
}

}  // namespace ingle::core::INGLE_ISA
#endif
