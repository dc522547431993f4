// As limits.cpp, for units that multiply tiles of bf16: 2 x 2 tiles, with operands that stay where they are.
#include <array>

#include "core/kernels/limits.h"

#define INGLE_SIMD_TILE_UNITS
#define INGLE_SIMD_FILE "core/kernels/limits_tiles.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

void multiply_tiles(uint64_t rounds, LimitOperands&) {
  TileUnit unit;
  unit.zero<0>();
  unit.zero<1>();
  unit.zero<2>();
  unit.zero<3>();
  unit.zero<4>();
  unit.zero<5>();
  unit.zero<6>();
  unit.zero<7>();
  for (uint64_t i = 0; i < rounds; ++i) {
    unit.add_products<0, 4, 6>();
    unit.add_products<1, 4, 7>();
    unit.add_products<2, 5, 6>();
    unit.add_products<3, 5, 7>();
  }
}

}  // namespace

std::span<const LimitLoop> tile_limit_loops() {
  static constexpr std::array loops = {LimitLoop{multiply_tiles, 4.0 * 16 * 16 * 32}};
  return loops;
}

}  // namespace ingle::core::INGLE_ISA
#endif
