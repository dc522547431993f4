// Kernels of the packed layouts with one scale per 16 columns: 9-11 of packed_layouts().
#include "core/kernels/kernels.h"
#include "core/quants/codebook.h"

#define INGLE_SIMD_FILE "core/kernels/packed_16.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {
#include "core/kernels/packed_kernels.inc.h"
}  // namespace

void fill_packed_16(std::array<PackedKernels, kLayoutCount>& table) {
  table[9] = packed_kernels<Tile<2, 256, 16, true, false, false, 0>>();
  table[10] = packed_kernels<Tile<3, 256, 16, false, false, false, 4>>();
  table[11] = packed_kernels<Tile<6, 256, 16, false, false, false, 32>>();
}

}  // namespace ingle::core::INGLE_ISA
#endif
