// A program's weight matrices as the kernels read them: packed into memory, or mapped from the copy that an earlier
// load left on disk (core/memory/packed_copy.h), or in part read from that in each run (weight_stream.h).
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/backends/cpu/pack.h"
#include "core/backends/cpu/weight_stream.h"
#include "core/backends/cpu/workers.h"
#include "core/hal/device.h"
#include "core/hal/program.h"
#include "core/memory/packed_copy.h"

namespace ingle::core {

struct WeightOptions {
  std::span<const base::MappedFile> files;  ///< matrices that lie elsewhere (adapters) are always packed
  PackedCopyFolder copies;
  uint64_t excess_bytes = 0;  ///< of memory, to be saved by reading weights from a copy in each run (plan_stream)
};

/// The file of `files` that a matrix lies in.
std::optional<size_t> file_of(const MatrixSource& source, std::span<const base::MappedFile> files);

/// How the weights came to be where they are.
enum class PackedCopyUse : uint8_t {
  none,      ///< packed into memory, nothing kept
  written,   ///< packed into memory, and a copy is being written for the next time
  replaced,  ///< as written; the copy that was there was damaged
  mapped,    ///< mapped from a copy
  mended,    ///< mapped, and damaged blocks packed anew
  broken,    ///< mapped, and there was no memory to mend it: what is computed is wrong
};

/// Fraction done in [0, 1]; return false to cancel.
using PackProgress = std::function<bool(double)>;

/// The packed matrices of a program. `load` once, then read by all workers.
class Weights {
 public:
  Weights(HardwareOps& device, Workers& workers) : device_(device), workers_(workers) {}
  ~Weights();
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  /// Once. The constants and the files must outlive this. Errors: out_of_memory, cancelled, io_error (a file was cut
  /// short). A copy is written behind the scenes, until the end of this at the latest; one that cannot be is no error,
  /// but where memory has to be saved: no_space, permission_denied and so on, with what could be done.
  base::Status load(const Constants& constants, const Program& program, const WeightOptions& options,
                    const PackProgress& progress);

  const PackedMatrix& operator[](int32_t matrix) const { return entries_[static_cast<size_t>(matrix)].packed; }
  uint64_t bytes() const { return kept_bytes_ + other_bytes_; }
  /// Of those, how many are read from disk in each run.
  uint64_t streamed_bytes() const { return stream_plan_.bytes; }
  bool streamed(size_t matrix) const { return entries_[matrix].streamed; }
  PackedCopyUse use() const { return use_.load(std::memory_order_relaxed); }

  /// Has `bytes` of a mapped copy, from `from` on, in memory: reads what the system has dropped of them. Returns where
  /// to go on; 0: that was all, or nothing is mapped. What is streamed stays on disk, and so does the rest then, as
  /// memory is short.
  uint64_t preload(uint64_t from, uint64_t bytes) const;

  /// Blocks of a mapped copy are to be checked before their first use: until set_checked(), all workers call check()
  /// for a kernel's matrices before any works with them.
  bool unchecked() const { return unchecked_; }
  void check(int32_t matrix, Counter& counter);
  void set_checked();

  /// Around the kernels of a run, for what is streamed.
  void begin_run() {
    if (stream_) stream_->begin_run();
  }
  /// Whether some of that kernel's weights are streamed.
  bool await(size_t kernel) { return stream_ && stream_->await(kernel); }
  void done(size_t kernel) {
    if (stream_) stream_->done(kernel);
  }
  /// After a run: whether what it computed with was sound. Errors: out_of_memory or io_error (a damaged block of a copy
  /// could not be packed again).
  base::Status status() const;

 private:
  struct Entry {
    PackedMatrix packed;
    bool multiplied = false;     ///< else it only embeds, and stays in the model's file
    bool kept = false;           ///< part of the copy
    bool streamed = false;       ///< … of which it is read in each run
    std::optional<size_t> file;  ///< the one that it lies in
    uint64_t offset = 0;         ///< in the copy's data, or among what is not part of it
    size_t first_block = 0, blocks = 0, block_panels = 0;
  };
  /// Panels of one matrix that are packed, hashed and written together.
  struct Block {
    const Entry& entry;
    const MatrixSource& source;
    size_t index, begin, end;

    size_t packed_size() const { return (end - begin) * entry.packed.panel_bytes; }
    uint64_t offset() const { return entry.offset + begin * entry.packed.panel_bytes; }
    std::span<std::byte> packed() const;
    std::span<const std::byte> source_bytes() const;
    /// Packs what read_source() gave.
    void pack(std::span<const std::byte> rows, std::byte* to) const;
  };

  void plan(const Constants& constants, const WeightOptions& options);
  void plan_matrices(bool kept);
  base::Result<bool> open_copy(const WeightOptions& options, const PackProgress& progress);
  base::Result<bool> sources_match(const PackProgress& progress);
  base::Status pack(const PackProgress& progress);
  base::Status each_block(size_t first, size_t end, const PackProgress& progress,
                          const std::function<bool(const Block&, std::span<const std::byte> source)>& work);
  base::Result<std::span<const std::byte>> read_source(const Block& block, std::vector<std::byte>& buffer) const;
  base::Status pack_to_copy(const WeightOptions& options, const PackProgress& progress);
  base::Status start_stream(const Program& program);
  void read_streamed(const StreamedMatrix& item);
  bool mend(const Block& block, std::vector<std::byte>& buffer);
  void keep_copy(const WeightOptions& options);
  void write_copy(PackedCopyWriter& writer);
  bool files_untouched() const;
  void place(std::byte* kept, std::byte* others);
  Block block(size_t index) const;

  HardwareOps& device_;
  Workers& workers_;
  const Constants* constants_ = nullptr;
  std::span<const base::MappedFile> files_;
  std::vector<Entry> entries_;             ///< by matrix
  std::vector<uint32_t> matrix_of_block_;  ///< first the blocks of the copy
  uint64_t kept_bytes_ = 0, other_bytes_ = 0;
  size_t kept_blocks_ = 0;
  PackedCopyShape shape_;
  PackedCopy copy_;
  std::byte* memory_ = nullptr;
  uint64_t memory_bytes_ = 0;
  StreamPlan stream_plan_;
  std::byte* ring_ = nullptr;
  std::vector<std::byte> stream_buffer_;  ///< for mending
  mutable std::mutex mend_mutex_;
  base::Status mend_status_;  ///< under mend_mutex_
  bool unchecked_ = false;
  std::thread copying_;  ///< writes the copy while the model is in use already
  std::atomic<int64_t> copy_deadline_ns_{std::numeric_limits<int64_t>::max()};
  std::atomic<PackedCopyUse> use_{PackedCopyUse::none};
  std::unique_ptr<WeightStream> stream_;  ///< last, as it reads into the others
};

}  // namespace ingle::core
