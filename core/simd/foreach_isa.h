// Compiles the including file once per instruction set of this processor family, each time inside a target region, so
// that nothing outside the region is compiled with flags that the machine may lack.
//
//   // core/kernels/thing.cpp
//   #define INGLE_SIMD_FILE "core/kernels/thing.cpp"
//   #include "core/simd/foreach_isa.h"
//   #ifdef INGLE_ISA                      // this part is compiled once per instruction set
//   namespace ingle::core::INGLE_ISA { void thing(...) { F32 x = F32::load(p); ... } }
//   #else                                 // this part once
//   namespace ingle::core { void thing(...) { INGLE_DISPATCH(isa, thing(...)); } }
//   #endif
//
// A set that only adds a matrix unit to another (MatrixUnit in vocabulary.h) compiles just the files that use it, which
// define INGLE_SIMD_MATRIX_UNITS as well; the rest of its kernels are the other set's. A file of kernels for a unit
// that multiplies tiles (TileUnit) defines INGLE_SIMD_TILE_UNITS, and is compiled for those units only: for the
// portable emulation, and for AMX.
//
// No include guard: it is meant to be included by many files, and it includes them.
#ifndef INGLE_ISA
// NOLINTBEGIN(bugprone-suspicious-include): including the file itself is the point

// Everything the regions use is included before the first of them opens.
#include "core/simd/vocabulary.h"

#define INGLE_ISA scalar
#include INGLE_SIMD_FILE
#undef INGLE_ISA

#if defined(__x86_64__) && defined(INGLE_SIMD_TILE_UNITS)
#define INGLE_ISA amx
#include "core/simd/region_amx.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA
#endif

#if defined(__x86_64__) && !defined(INGLE_SIMD_TILE_UNITS)
#define INGLE_ISA avx2
#include "core/simd/region_avx2.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA

#define INGLE_ISA avxvnni
#include "core/simd/region_avxvnni.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA

#define INGLE_ISA avx512vnni
#include "core/simd/region_avx512vnni.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA
#endif

#if defined(__aarch64__) && !defined(INGLE_SIMD_TILE_UNITS)
#define INGLE_ISA neon
#include "core/simd/region_neon.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA

#if defined(INGLE_SIMD_MATRIX_UNITS)
#define INGLE_ISA i8mm
#include "core/simd/region_i8mm.h"
#include INGLE_SIMD_FILE
#include "core/simd/region_end.h"
#undef INGLE_ISA
#endif
#endif

// NOLINTEND(bugprone-suspicious-include)
#endif
