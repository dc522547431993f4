// Kernels of the packed layouts with one scale per 32 columns: 0-8 of packed_layouts().
#include "core/kernels/kernels.h"
#include "core/quants/codebook.h"

#define INGLE_SIMD_FILE "core/kernels/packed_32.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {
#include "core/kernels/packed_kernels.inc.h"
}  // namespace

void fill_packed_32(std::array<PackedKernels, kLayoutCount>& table) {
  table[0] = packed_kernels<Tile<4, 32, 32, false, false, false, 8>>();
  table[1] = packed_kernels<Tile<4, 32, 32, true, false, false, 0>>();
  table[2] = packed_kernels<Tile<5, 32, 32, false, false, false, 16>>();
  table[3] = packed_kernels<Tile<5, 32, 32, true, false, false, 0>>();
  table[4] = packed_kernels<Tile<8, 32, 32, false, true, false, 0>>();
  table[5] = packed_kernels<Tile<4, 32, 32, false, false, true, 0>>();
  table[6] = packed_kernels<Tile<4, 256, 32, true, false, false, 0>>();
  table[7] = packed_kernels<Tile<5, 256, 32, true, false, false, 0>>();
  table[8] = packed_kernels<Tile<4, 256, 32, false, false, true, 0>>();
}

}  // namespace ingle::core::INGLE_ISA
#endif
