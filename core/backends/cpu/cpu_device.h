// The CPU as a device: weights packed once, a program run by a pool of workers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "core/backends/cpu/attention.h"
#include "core/backends/cpu/best_logits.h"
#include "core/backends/cpu/limits.h"
#include "core/backends/cpu/weights.h"
#include "core/backends/cpu/workers.h"
#include "core/graph/program.h"
#include "core/hal/device.h"
#include "core/kernels/kernels.h"

namespace ingle::core {

struct CpuOptions {
  uint32_t threads = 1;
  const Kernels* kernels = nullptr;  ///< of an instruction set that works here
  bool reference = false;            ///< no tile unit (8-bit products are in the program)
  bool deterministic = false;        ///< no other kernels for many rows than for few
  KvFormat kv = KvFormat::f32;       ///< how keys and values are kept
  bool rounds_floats = false;        ///< all products are the tile unit's, if there is one; weights of floats, too
  std::vector<CpuSet> places;        ///< where threads run, as Workers takes them
};

/// How many bytes a graph's weights take when packed (matrices that only embed are read from the file).
uint64_t plan_weight_bytes(const Graph& graph);
/// What one worker computes in, in bytes.
size_t scratch_bytes_per_worker(const Constants& constants, const Program& program, const CpuOptions& options);

/// How a program for this device is planned: which products take 8-bit activations follows from how weights are packed.
PlanOptions cpu_plan_options(uint32_t max_rows, uint32_t max_positions, bool reference);
/// The same for a device with CpuOptions::rounds_floats and a tile unit: of floats, too, where they fill tiles.
PlanOptions cpu_tile_plan_options(uint32_t max_rows, uint32_t max_positions);

/// What a kernel of the program took since start_timing(), on average over the workers.
struct KernelTiming {
  const KernelDesc* kernel = nullptr;
  uint64_t runs = 0, rows = 0;  ///< rows of all runs together
  double busy_seconds = 0, waiting_seconds = 0;
};

/// A kernel's turn on one worker: at work from begin to done, then waiting for the others until met. Nanoseconds of
/// base::monotonic_ns().
struct KernelSlice {
  uint32_t kernel = 0;  ///< its number in the program
  uint32_t rows = 0;
  int64_t begin_ns = 0, done_ns = 0, met_ns = 0;
};
struct RunSlice {
  uint32_t tokens = 0;
  int64_t begin_ns = 0, end_ns = 0;
};
/// What happened when since start_trace().
struct Trace {
  std::vector<RunSlice> runs;
  std::vector<std::vector<KernelSlice>> workers;  ///< by worker
  uint64_t dropped_runs = 0;                      ///< there was no room for
};

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const CpuOptions& options);
  ~CpuDevice() override;

  base::Result<std::byte*> allocate(uint64_t bytes) override;
  void deallocate(std::byte* memory, uint64_t bytes) override;
  void execute_kernel(const KernelDesc* kernel) override;
  void sync_device() override {}

  base::Status prepare(const Constants& constants, Program program) override {
    return prepare(constants, std::move(program), {}, {});
  }
  /// The same with weights that may come from a packed copy (Weights::load). Error: cancelled, too.
  base::Status prepare(const Constants& constants, Program program, const WeightOptions& options,
                       const PackProgress& progress);
  uint64_t state_page_bytes(uint32_t state_group) const override;
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override;
  void discard(std::byte* memory, uint64_t bytes) override;
  void run(const RunArgs& args) override;
  /// Runs the kernels from number `first` on, as if those before had left `rows` in `buffer`; of weights that are all
  /// in memory. The rest as run().
  void run_from(size_t first, const BufferRef& buffer, std::span<const float> rows, const RunArgs& args);
  /// For Attention::weights().
  const Attention& attention() const { return attention_; }
  const float* read(const KeptValue& value) const override { return floats(value.buffer); }

  /// From now on each run is timed, kernel by kernel; it takes a little longer.
  void start_timing();
  /// No longer; what was measured stays until the next start.
  void stop_timing() { timing_ = false; }
  std::vector<KernelTiming> timings() const;
  /// What RunArgs::taps have taken of all runs.
  double tapping_seconds() const { return static_cast<double>(tapping_ns_) * 1e-9; }
  /// Times each run, and keeps when each kernel began and ended, of the first runs for which `bytes` of memory suffice.
  /// Error: out_of_memory.
  base::Status start_trace(uint64_t bytes);
  const Trace& trace() const { return trace_; }

  /// Whether the last run could read what it embeds and multiplies with. Errors: io_error (a model's file was cut short
  /// while in use); as Weights::status.
  base::Status last_run() const { return unreadable_ ? base::Status(read_error_) : weights_.status(); }

  /// As core/backends/cpu/limits.h, with this device's threads, kernels and weights. Error: out_of_memory.
  base::Result<MachineLimits> measure_limits(uint64_t large_bytes);

  /// Whether products of that many rows are the tile unit's.
  bool uses_tiles(uint64_t rows) const { return use_tiles_ && (rows >= kFewestTileRows || options_.rounds_floats); }
  const Workers& workers() const { return workers_; }
  /// As Workers::set_active().
  void set_active_threads(uint32_t count) { workers_.set_active(count); }
  const Program& program() const { return program_; }
  const Weights& weights() const { return weights_; }
  uint64_t arena_bytes() const { return program_.arena_bytes; }

 private:
  void place_rows();
  void give_back_activations();
  void finish(size_t i, Counter& counter);
  void prepare_taps();
  /// A worker's next tap, and where its values go in a row.
  struct TapPlace {
    size_t tap = 0, column = 0;
  };
  void copy_taps(TapPlace& next, size_t kernel, Counter& counter);
  void run_program();
  void run_checking();
  void run_watched();
  /// A kernel's turn on a worker: from when it was free, over its weights' being there and its work's end, to all
  /// others'.
  struct Turn {
    int64_t now_ns, begun_ns, done_ns, met_ns;
  };
  void note_time(size_t kernel, uint32_t worker, const Turn& turn, bool traced);
  void work(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  template <typename Work>
  void take_rows(const KernelDesc& kernel, Counter& counter, size_t fewest, Work work);
  void embed(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  size_t embedded(const KernelDesc& kernel, size_t row) const;
  const std::byte* embedding_row(const KernelDesc& kernel, size_t row, std::byte* buffer);
  void rope_table(const KernelDesc& kernel, Counter& counter);
  void whole_rows(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  void quantize(const KernelDesc& kernel, Counter& counter);
  void matmul(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  void prepare_attention(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  void attention(const KernelDesc& kernel, Counter& counter, uint32_t worker);
  void elementwise(const KernelDesc& kernel, Counter& counter);
  void output_rows(const KernelDesc& kernel, Counter& counter);

  size_t rows_of(const KernelDesc& kernel) const {
    return kernel.output_rows ? args_.output_rows.size() : args_.tokens.size();
  }
  float* floats(const BufferRef& ref) const;
  ActivationGroup* groups(const BufferRef& ref) const;
  uint16_t* tiles(const BufferRef& ref) const;
  /// Two terms of 8 bits hold more than tiles of bf16 would.
  bool tiled(const KernelDesc& kernel) const {
    return kernel.quantized_in.terms == 1 && kernel.quantized_out.terms == 1 && uses_tiles(rows_of(kernel));
  }
  void store_activations(const KernelDesc& kernel, size_t row, const float* x, size_t width);
  void prepare_head(const KernelDesc& kernel, size_t row, int32_t norm, float* head) const;
  void store_head(const KernelDesc& kernel, uint32_t head, size_t begin, size_t end, std::byte* memory);
  const float* vector(int32_t id) const { return id < 0 ? nullptr : constants_->vectors[id].data(); }
  /// Where a row of this run belongs.
  struct Place {
    uint32_t sequence, position;
  };
  std::byte* scratch(uint32_t worker) const { return scratch_ + worker * scratch_stride_; }

  const CpuOptions options_;
  const Kernels& kernels_;
  const bool use_tiles_;
  Workers workers_;
  Weights weights_;
  std::vector<const base::MappedFile*> files_;  ///< by matrix: the one it lies in, or null
  std::atomic<bool> unreadable_{false};
  std::mutex read_mutex_;
  base::Error read_error_;  ///< under read_mutex_ during a run
  const Constants* constants_ = nullptr;
  Program program_;
  Attention attention_;
  BestLogits best_logits_;
  std::vector<Place> places_;                       ///< by row of this run
  std::unique_ptr<Phase[]> phases_;                 ///< by kernel
  std::vector<std::unique_ptr<Phase>> tap_phases_;  ///< by tap
  std::byte* arena_ = nullptr;
  size_t touched_rows_ = 0;  ///< of the arena's buffers
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0;
  RunArgs args_;
  struct alignas(64) KernelTime {
    int64_t busy_ns = 0, waiting_ns = 0;
  };
  size_t tapped_width_ = 0;  ///< of all taps of this run
  int64_t tapping_ns_ = 0;   ///< of worker 0
  bool timing_ = false;
  std::vector<KernelTime> times_;  ///< [kernel][worker]
  std::vector<uint64_t> timed_rows_;
  uint64_t timed_runs_ = 0;
  Trace trace_;
  size_t traceable_runs_ = 0;
};

}  // namespace ingle::core
