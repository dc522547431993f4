// The product that makes the logits, where only the best of each row are wanted: a worker multiplies a few panels at a
// time into memory that stays in its cache, and keeps the best so far. After the run the workers' best are put
// together; who had which panels makes no difference to that (core/hal/best_tokens.h).
#pragma once

#include <vector>

#include "base/result.h"
#include "core/hal/device.h"
#include "core/kernels/kernels.h"

namespace ingle::core {

class BestLogits {
 public:
  /// Memory comes from `device` and returns there. Error: out_of_memory.
  base::Status prepare(HardwareOps& device, uint32_t workers);
  void release(HardwareOps& device);

  void begin(const RunArgs& args);
  /// A worker's panels [begin, end) of the product, whose values are capped where cap != 0. `out` of args is not used.
  void multiply(const Kernels& kernels, MatmulArgs args, float cap, size_t begin, size_t end, uint32_t worker,
                std::byte* scratch);
  void finish(const RunArgs& args) const;

 private:
  static constexpr size_t kPanels = 16, kColumns = kPanels * kPanelRows;  // at a time

 public:
  /// What a worker takes for a row.
  static constexpr size_t kRowBytes = kColumns * sizeof(float) + kMostBest * sizeof(TokenLogit);

 private:
  float* logits(uint32_t worker, size_t row) const {
    return reinterpret_cast<float*>(memory_ + (size_t{worker} * kMostBestRows + row) * kRowBytes);
  }
  TokenLogit* best(uint32_t worker, size_t row) const {
    return reinterpret_cast<TokenLogit*>(logits(worker, row) + kColumns);
  }

  uint32_t workers_ = 0;
  std::byte* memory_ = nullptr;    ///< [worker][kMostBestRows][kRowBytes]
  std::vector<BestTokens> found_;  ///< [worker][kMostBestRows]
};

}  // namespace ingle::core
