#include "core/kernels/limits.h"

#include <array>
#include <type_traits>

#define INGLE_SIMD_MATRIX_UNITS
#define INGLE_SIMD_FILE "core/kernels/limits.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

// Operands are read again in each round, as kernels have to; the activations are zeros, so that no sum overflows.
#define INGLE_READ_AGAIN() asm volatile("" ::: "memory")

constexpr int kSteps = 4;

// What kernels sum products of bytes in while they can.
using ByteSums = std::conditional_t<std::is_void_v<I16>, I32, I16>;
template <typename Sums>
F32 as_floats(const Sums& sums) {
  if constexpr (std::is_same_v<Sums, I32>)
    return F32::from(sums);
  else
    return F32::from(sums.widen());
}
template <typename Sums>
Sums empty_sums() {
  if constexpr (std::is_same_v<Sums, I32>)
    return I32::sum_from(0);
  else
    return Sums::zero();
}

// The products of `rows` rows of activations with `panels` panels of weights, 4 columns a step.
template <int panels, int rows>
void multiply_bytes(uint64_t rounds, LimitOperands& operands) {
  ByteSums sums[panels][rows];
#pragma GCC unroll 16
  for (int p = 0; p < panels; ++p)
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) sums[p][r] = empty_sums<ByteSums>();
  for (uint64_t i = 0; i < rounds; ++i) {
    // One step a round would leave more moves between registers than products.
#pragma GCC unroll 16
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
      for (int p = 0; p < panels; ++p) {
        INGLE_READ_AGAIN();
        const Quad weights = Quad::load(operands.weights + 64 * p);
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r) sums[p][r] = sums[p][r].dot_unsigned(weights, operands.activations + 4 * r);
      }
    }
  }
  F32 total = F32::zero();
#pragma GCC unroll 16
  for (int p = 0; p < panels; ++p)
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) total = total + as_floats(sums[p][r]);
  total.store(reinterpret_cast<float*>(operands.sink));
}

// The same on a unit that multiplies pairs of rows, 8 columns a round.
template <typename Unit, int pairs>
void multiply_pairs(uint64_t rounds, LimitOperands& operands) {
  typename Unit::Sums sums[pairs];
#pragma GCC unroll 16
  for (int p = 0; p < pairs; ++p) sums[p] = Unit::Sums::zero();
  for (uint64_t i = 0; i < rounds; ++i) {
    INGLE_READ_AGAIN();
    const auto weights = Unit::Weights::load(operands.weights);
#pragma GCC unroll 16
    for (int p = 0; p < pairs; ++p)
      sums[p] = sums[p].add(weights, operands.activations + 16 * p, operands.activations + 16 * p + 8);
  }
  F32 total = F32::zero();
#pragma GCC unroll 16
  for (int p = 0; p < pairs; ++p)
    total = total + F32::from(sums[p].template row<0>()) + F32::from(sums[p].template row<1>());
  total.store(reinterpret_cast<float*>(operands.sink));
}

template <int count>
void multiply_floats(uint64_t rounds, LimitOperands& operands) {
  F32 sums[count];
#pragma GCC unroll 16
  for (int k = 0; k < count; ++k) sums[k] = F32::set1(operands.floats[k]);  // else they would be the same sum
  for (uint64_t i = 0; i < rounds; ++i) {
    INGLE_READ_AGAIN();
    const F32 a = F32::load(operands.floats), b = F32::load(operands.floats + 16);
#pragma GCC unroll 16
    for (int k = 0; k < count; ++k) sums[k] = sums[k].fma(a, b);
  }
  F32 total = F32::zero();
#pragma GCC unroll 16
  for (int i = 0; i < count; ++i) total = total + sums[i];
  total.store(reinterpret_cast<float*>(operands.sink));
}

void read(const std::byte* data, size_t bytes, size_t ahead, LimitOperands& operands) {
  Quad all[4] = {Quad::load(operands.weights), Quad::load(operands.weights), Quad::load(operands.weights),
                 Quad::load(operands.weights)};
  for (size_t i = 0; i < bytes; i += 256) {
#pragma GCC unroll 16
    for (size_t k = 0; k < 4; ++k) {
      if (ahead != 0) __builtin_prefetch(data + i + 64 * k + ahead);
      all[k] = all[k] | Quad::load(data + i + 64 * k);
    }
  }
  (all[0] | all[1] | all[2] | all[3]).store(operands.sink);
}

template <int panels, int rows>
constexpr LimitLoop bytes_loop() {
  return {multiply_bytes<panels, rows>, 64.0 * kSteps * panels * rows};
}
template <int count>
constexpr LimitLoop floats_loop() {
  return {multiply_floats<count>, 16.0 * count};
}
template <typename Unit>
std::span<const LimitLoop> all_bytes_loops() {
  if constexpr (std::is_void_v<Unit>) {
    static constexpr std::array loops = {bytes_loop<2, 6>(), bytes_loop<1, 12>(), bytes_loop<1, 5>(),
                                         bytes_loop<1, 4>(), bytes_loop<1, 3>()};
    return loops;
  } else {
    static constexpr std::array loops = {LimitLoop{multiply_pairs<Unit, 1>, 256.0},
                                         LimitLoop{multiply_pairs<Unit, 2>, 512.0}};
    return loops;
  }
}

}  // namespace

const LimitLoops& limit_loops() {
  static constexpr std::array floats = {floats_loop<12>(), floats_loop<8>(), floats_loop<5>(), floats_loop<4>()};
  static const LimitLoops loops = {all_bytes_loops<MatrixUnit>(), floats, {}, read};
  return loops;
}

#undef INGLE_READ_AGAIN

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

namespace scalar {
std::span<const LimitLoop> tile_limit_loops();
}
#if defined(__x86_64__)
namespace amx {
std::span<const LimitLoop> tile_limit_loops();
}
#endif

namespace {

LimitLoops with_tiles(LimitLoops loops, std::span<const LimitLoop> tiles) {
  loops.tiles = tiles;
  return loops;
}

}  // namespace

const LimitLoops& limit_loops(std::string_view kernels) {
#if defined(__x86_64__)
  static const LimitLoops amx_loops = with_tiles(avx512vnni::limit_loops(), amx::tile_limit_loops());
  if (kernels == "avx2") return avx2::limit_loops();
  if (kernels == "avxvnni") return avxvnni::limit_loops();
  if (kernels == "avx512vnni") return avx512vnni::limit_loops();
  if (kernels == "amx") return amx_loops;
#elif defined(__aarch64__)
  if (kernels == "neon") return neon::limit_loops();
  if (kernels == "i8mm") return i8mm::limit_loops();
#endif
  static const LimitLoops emulated = with_tiles(scalar::limit_loops(), scalar::tile_limit_loops());
  return kernels == "emulated" ? emulated : scalar::limit_loops();
}

}  // namespace ingle::core
#endif
