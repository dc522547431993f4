// Attention on the CPU: which workers take which query rows and keys, and where layers lie in pages of states.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "core/backends/cpu/workers.h"
#include "core/hal/device.h"
#include "core/kernels/kernels.h"

namespace ingle::core {

/// The bytes of a page of states: kPagePositions positions of all layers of a group.
uint64_t kv_page_bytes(const Program& program, uint32_t state_group, KvFormat format);

/// What one worker needs for any attention of the program, in bytes.
size_t attention_scratch_bytes(const Program& program, bool use_tiles);

class Attention {
 public:
  Attention(const Kernels& kernels, KvFormat format, bool use_tiles)
      : kernels_(kernels), format_(format), use_tiles_(use_tiles) {}

  /// Memory for parts of long contexts comes from `device` and returns there. Error: out_of_memory.
  base::Status prepare(HardwareOps& device, const Program& program, uint32_t workers);
  void release(HardwareOps& device);

  KvView view(const KernelDesc& kernel, const SequenceRows& sequence) const;

  /// What each head of one query gives to each position that it sees: [heads][positions from first_seen() to its own].
  /// `q` is as prepare_attention leaves it; `sequence` has the pages. In plain loops, for who looks at a few.
  std::vector<float> weights(const KernelDesc& kernel, const SequenceRows& sequence, const float* q,
                             uint32_t position) const;

  /// A worker's share of a kernel. Of `args`, where queries are and results go is given, for all sequences together.
  void attend(const KernelDesc& kernel, std::span<const SequenceRows> sequences, const AttentionArgs& args,
              Counter& counter, std::byte* scratch);

 private:
  // Query rows that pass over the keys together, of any key-value head.
  struct Block {
    AttentionArgs args;
    size_t begin, end;
    uint32_t first_segment, last_segment;
    bool tiled;
  };
  bool tiled(const SequenceRows& sequence) const { return use_tiles_ && sequence.rows >= kFewestTileRows; }
  size_t block_rows(const SequenceRows& sequence) const {
    return tiled(sequence) ? kMostTiledQueryRows : kMaxQueryRows;
  }
  size_t blocks_of(const KernelDesc& kernel, const SequenceRows& sequence) const;
  Block block(const KernelDesc& kernel, std::span<const SequenceRows> sequences, const AttentionArgs& of_all,
              size_t index) const;
  /// Which of the blocks that are shared out one is, and how many rows each may have.
  struct Place {
    size_t index, rows;
  };
  void attend_part(const Block& block, Place place, uint32_t kv_head, uint32_t segment, std::byte* scratch);

  const Kernels& kernels_;
  const KvFormat format_;
  const bool use_tiles_;
  uint32_t head_dim_ = 0;                ///< the largest
  std::vector<uint64_t> layer_offsets_;  ///< in pages of their groups, by layer
  uint32_t most_split_ = 0;              ///< query rows, counted per head, up to which segments are shared out
  uint32_t segments_ = 0;                ///< that a sequence can have
  std::unique_ptr<std::atomic<uint32_t>[]> finished_;  ///< segments, by block and head
  float* parts_ = nullptr;
  uint64_t parts_bytes_ = 0;
};

}  // namespace ingle::core
