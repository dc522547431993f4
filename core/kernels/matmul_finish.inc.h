// What follows a product of 16 weight rows with some rows of activations, whichever way it was computed. Included
// inside an instruction set's region and an unnamed namespace; no include guard on purpose.

#include "core/simd/math.inc.h"

F32 gate_value(GateKind kind, F32 x) {
  return kind == GateKind::silu ? silu(x) : gelu_tanh(x);
}

// Scale, gate, bias and residual, then the store; rows beyond the matrix (padding) are cut. `result` and `gates` (if
// there is a gate) are [count][16].
void finish_tile(const MatmulArgs& args, size_t panel, size_t first, size_t count, const float* result,
                 const float* gates) {
  const size_t n = std::min<size_t>(kPanelRows, args.weight->rows - panel * kPanelRows);
  const F32 scale = F32::set1(args.scale);
  for (size_t i = 0; i < count; ++i) {
    float* out = args.out + (first + i) * args.out_stride + panel * kPanelRows;
    F32 x = F32::load(result + 16 * i) * scale;
    if (gates != nullptr) x = gate_value(args.gate_kind, F32::load(gates + 16 * i)) * x;
    if (args.bias != nullptr) x = x + F32::load_n(args.bias + panel * kPanelRows, n);
    if (args.accumulate) x = x + F32::load_n(out, n);
    x.store_n(out, n);
  }
}
