// Weights that memory has no room for. Where a model exceeds memory by a little, a system that loads and drops pages by
// itself ends up reading all of it for each token: pages were dropped longest ago when they are needed next. So here
// only what is in excess is read, again in each run, and the rest stays.
//
// Which matrices are read is spread evenly over the program, so that the disk works while others are computed with. A
// thread reads them in the program's order into a ring of a few matrices, as far ahead as that has room.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "base/files.h"
#include "core/hal/program.h"

namespace ingle::core {

/// A matrix that is read again in each run.
struct StreamedMatrix {
  int32_t matrix = -1;
  size_t kernel = 0;   ///< the one that multiplies with it
  uint64_t place = 0;  ///< in the ring, in bytes; a multiple of kStreamAlignment
  uint64_t room = 0;   ///< … how much of it, enough to read whole sectors
  uint32_t after = 0;  ///< this many matrices before it (in runs one after the other) is the last one in that room
};
inline constexpr uint64_t kStreamAlignment = 4096;

struct StreamPlan {
  std::vector<StreamedMatrix> order;
  uint64_t bytes = 0;       ///< of packed weights read in each run
  uint64_t ring_bytes = 0;  ///< what they are read into
  /// Memory that this saves.
  uint64_t saved() const { return bytes - ring_bytes; }
};

/// What to read so that `excess` bytes of memory are saved; nothing where that cannot be (most_saved), or excess is 0.
/// Only matrices of `files` come from a copy on disk. Logits' are left alone: one larger than a layer makes the ring
/// larger by several times its size.
StreamPlan plan_stream(const Constants& constants, const Program& program, std::span<const base::MappedFile> files,
                       uint64_t excess);
/// The most memory that can be saved.
uint64_t most_saved(const Constants& constants, const Program& program, std::span<const base::MappedFile> files);

/// The thread that reads, and what workers do to keep in step with it. Allocates nothing while it runs.
class WeightStream {
 public:
  using Read = std::function<void(const StreamedMatrix&)>;

  /// `read` is called from one thread, for one matrix after the other. `kernels`: of the program.
  WeightStream(const StreamPlan& plan, size_t kernels, Read read);
  ~WeightStream();
  WeightStream(const WeightStream&) = delete;
  WeightStream& operator=(const WeightStream&) = delete;

  /// Before the workers begin with a run.
  void begin_run() { start_ += static_cast<uint32_t>(order_.size()); }
  /// Waits until what a kernel multiplies with is there. Returns whether it multiplies with something that is streamed.
  bool await(size_t kernel);
  /// Says that this kernel and those before it are done.
  void done(size_t kernel);

 private:
  void loop();

  const std::vector<StreamedMatrix> order_;
  const Read read_;
  std::vector<uint32_t> until_;  ///< by kernel: how many matrices it and those before it read
  // Matrices are counted from the first run on; the counts may overflow.
  uint32_t start_;  ///< those of runs before this one
  alignas(64) std::atomic<uint32_t> loaded_{0};
  alignas(64) std::atomic<uint32_t> done_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ingle::core
