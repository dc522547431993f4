#include "core/backends/cpu/best_logits.h"

#include <algorithm>

namespace ingle::core {

base::Status BestLogits::prepare(HardwareOps& device, uint32_t workers) {
  workers_ = workers;
  found_.resize(size_t{workers} * kMostBestRows);
  INGLE_TRY(memory_, device.allocate(found_.size() * kRowBytes));
  return {};
}

void BestLogits::release(HardwareOps& device) {
  device.deallocate(memory_, found_.size() * kRowBytes);
}

void BestLogits::begin(const RunArgs& args) {
  for (uint32_t worker = 0; worker < workers_; ++worker)
    for (size_t row = 0; row < args.output_rows.size(); ++row)
      found_[worker * kMostBestRows + row] = BestTokens({best(worker, row), args.best_count});
}

// Panels of a matrix are a matrix.
void BestLogits::multiply(const Kernels& kernels, MatmulArgs args, float cap, size_t begin, size_t end, uint32_t worker,
                          std::byte* scratch) {
  const PackedMatrix& whole = *args.weight;
  const float* const bias = args.bias;
  PackedMatrix part = whole;
  args.weight = &part;
  args.out = logits(worker, 0);
  args.out_stride = kRowBytes / sizeof(float);
  for (size_t first = begin; first < end; first += kPanels) {
    const size_t panels = std::min(kPanels, end - first), id = first * kPanelRows;
    part.data = whole.data + first * whole.panel_bytes;
    part.rows = static_cast<uint32_t>(std::min(panels * kPanelRows, whole.rows - id));
    if (bias != nullptr) args.bias = bias + id;
    kernels.matmul(kernels, args, 0, panels, scratch);
    for (size_t row = 0; row < args.rows / args.terms; ++row) {
      float* const values = logits(worker, row);
      if (cap != 0.0f) kernels.scale(values, 1.0f, cap, part.rows, values);
      found_[worker * kMostBestRows + row].offer(std::span(values, part.rows), id);
    }
  }
}

void BestLogits::finish(const RunArgs& args) const {
  for (size_t row = 0; row < args.output_rows.size(); ++row) {
    BestTokens all({args.best + row * args.best_count, args.best_count});
    for (uint32_t worker = 0; worker < workers_; ++worker)
      for (const TokenLogit& token : found_[worker * kMostBestRows + row].found()) all.offer(token);
    all.sort();
  }
}

}  // namespace ingle::core
