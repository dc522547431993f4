// The vector vocabulary: in each instruction set's namespace the same types, so that one algorithm serves all.
//   F32   16 floats
//   I32   16 int32; accumulates dot products. A sum of bytes starts with sum_from() and stays within 22 bits;
//   F32::from()
//         reads it. One of 16-bit integers starts with zero(); F32::convert() reads it
//   Quad  64 bytes: 16 rows x 4 consecutive columns of a packed weight panel
//   Pairs 16 rows x 2 columns of such a quad, as wider integers
// and those that are void where a set has nothing of the kind:
//   MatrixUnit  multiplies blocks of weights by several rows of activations at once (i8mm.h)
//   I16         16 rows x 2 sums of 16 bits, of columns 0 and 1 of each quad and of columns 2 and 3 (avx2.h)
// Where there is a unit that multiplies tiles of bf16, and in portable C++ for the tests:
//   TileUnit    with store_bf16() and TileDecoder to fill its tiles (amx.h)
// One header per instruction set; each is written inside its target region.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// For what a kernel's inner loop calls, lambdas too: g++ would rather pass sums through memory.
#define INGLE_INLINE __attribute__((always_inline))

#include "core/simd/scalar.h"
#include "core/simd/tile_emulation.h"
#if defined(__x86_64__)
#include "core/simd/amx.h"
#include "core/simd/avx2.h"
#include "core/simd/avx512vnni.h"
#include "core/simd/avxvnni.h"
#endif
#if defined(__aarch64__)
#include "core/simd/i8mm.h"
#include "core/simd/neon.h"
#endif
