// The inspector of a decoder on the CPU.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "core/backends/cpu/cpu_device.h"
#include "core/engine/inspector.h"
#include "core/graph/graph.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

class DeviceInspector final : public Inspector {
 public:
  /// All outlive it. The device is prepared.
  DeviceInspector(const Graph& graph, CpuDevice& device, StatePools& states);

  size_t layer_floats() const override { return row_floats_; }
  void observe_next(std::span<const uint32_t> rows, float* into) override;
  double observing_seconds() const override { return device_.tapping_seconds(); }
  base::Result<std::vector<LensLayer>> lens(std::span<const float> layers, TokenId chosen, uint32_t count) override;
  base::Result<AttentionWeights> attention(const Sequence& sequence, std::span<const float> layers, uint32_t position,
                                           uint32_t layer) override;
  base::Status start_timeline(uint64_t bytes) override { return device_.start_trace(bytes); }
  void stop_timeline() override { device_.stop_timing(); }
  std::string timeline() const override;
  MemoryMap memory_map() const override;

  /// For the engine: what the next run has to copy out, if anything. Asked once for each run.
  void add_taps(RunArgs& args);

 private:
  struct Layer {
    size_t query = 0, output = 0;  ///< where they are in an observed row
    uint32_t query_width = 0;
  };
  bool find_taps();
  base::Status check_row(std::span<const float> layers) const;

  const Graph& graph_;
  CpuDevice& device_;
  StatePools& states_;
  std::vector<Tap> taps_;
  std::vector<Layer> layers_;
  uint32_t width_ = 0;     ///< of the residual stream, whose first is at the beginning of a row
  size_t row_floats_ = 0;  ///< 0: there is nothing to tap
  BufferRef last_;         ///< the residual stream after the last layer …
  size_t tail_ = 0;        ///< … and the first kernel after it
  std::vector<uint32_t> rows_;
  float* into_ = nullptr;  ///< of the next run; null: nobody looks
};

}  // namespace ingle::core
