// Kernels of the packed layouts with one scale per 32 columns: 0-8 of packed_layouts().
#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

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
  for_each_layout<0, 9>([&]<typename T>(size_t layout) { table[layout] = packed_kernels<T>(); });
}

}  // namespace ingle::core::INGLE_ISA
#endif
