// Kernels of the packed layouts with one scale per 16 columns: 9-11 of packed_layouts().
#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

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
  for_each_layout<9, 12>([&]<typename T>(size_t layout) { table[layout] = packed_kernels<T>(); });
}

}  // namespace ingle::core::INGLE_ISA
#endif
