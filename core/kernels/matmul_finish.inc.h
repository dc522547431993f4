// What follows a product of 16 weight rows with some rows of activations, whichever way it was computed. Included
// inside an instruction set's region and an unnamed namespace; no include guard on purpose.

#include "core/simd/math.inc.h"

// Scale, gate (if there is one), bias, activation and residual of one row's n products with a panel.
inline F32 finished(const MatmulArgs& args, size_t panel, size_t row, size_t n, const float* result,
                    const float* gates) {
  F32 x = F32::load(result) * F32::set1(args.scale);
  if (gates != nullptr) x = activate(args.activation, F32::load(gates)) * x;
  if (args.bias != nullptr) x = x + F32::load_n(args.bias + panel * kPanelRows, n);
  if (args.activated) x = activate(args.activation, x);
  if (args.accumulate) x = x + F32::load_n(args.out + row * args.out_stride + panel * kPanelRows, n);
  return x;
}

// The same of rows [first, first + count), then the store; rows beyond the matrix (padding) are cut. `result` and
// `gates` are [count][16].
void finish_tile(const MatmulArgs& args, size_t panel, size_t first, size_t count, const float* result,
                 const float* gates) {
  const size_t n = std::min<size_t>(kPanelRows, args.weight->rows - panel * kPanelRows);
  for (size_t i = 0; i < count; ++i)
    finished(args, panel, first + i, n, result + 16 * i, gates != nullptr ? gates + 16 * i : nullptr)
        .store_n(args.out + (first + i) * args.out_stride + panel * kPanelRows, n);
}
