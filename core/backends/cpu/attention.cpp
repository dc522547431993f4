#include "core/backends/cpu/attention.h"

#include <algorithm>
#include <cmath>

namespace ingle::core {
namespace {

constexpr uint64_t kNoOffset = ~uint64_t{0};

// Of keys and values of the kernel's layer in a page.
uint64_t layer_bytes(const KernelDesc& kernel, KvFormat format) {
  return kv_layer_bytes(kv_layer_format(format, kernel.layer), kernel.kv_heads, kernel.head_dim);
}

}  // namespace

uint64_t kv_page_bytes(const Program& program, uint32_t state_group, KvFormat format) {
  uint64_t bytes = 0;
  std::vector<bool> counted;
  for (const KernelDesc& kernel : program.kernels) {
    if (kernel.kind != KernelKind::attention || kernel.state_group != state_group) continue;
    counted.resize(std::max<size_t>(counted.size(), kernel.layer + 1));
    if (!counted[kernel.layer]) bytes += layer_bytes(kernel, format);
    counted[kernel.layer] = true;
  }
  return bytes;
}

size_t attention_scratch_bytes(const Program& program, bool use_tiles) {
  uint32_t head_dim = 0;
  for (const KernelDesc& kernel : program.kernels) head_dim = std::max(head_dim, kernel.head_dim);
  const size_t bytes = attention_scratch_bytes(head_dim);
  return use_tiles ? std::max(bytes, attention_tile_scratch_bytes(head_dim)) : bytes;
}

base::Status Attention::prepare(HardwareOps& device, const Program& program, uint32_t workers) {
  std::vector<uint64_t> sizes(program.windows.size(), 0);
  for (const KernelDesc& kernel : program.kernels) {
    if (kernel.kind != KernelKind::attention) continue;
    head_dim_ = std::max(head_dim_, kernel.head_dim);
    if (kernel.layer < layer_offsets_.size() && layer_offsets_[kernel.layer] != kNoOffset) continue;
    layer_offsets_.resize(std::max<size_t>(layer_offsets_.size(), kernel.layer + 1), kNoOffset);
    layer_offsets_[kernel.layer] = sizes[kernel.state_group];
    sizes[kernel.state_group] += layer_bytes(kernel, format_);
  }
  if (workers == 1) return {};
  // With fewer rows than this, workers would wait for each other.
  most_split_ = 4 * workers * kMaxQueryRows;
  segments_ = (program.max_positions + kSegmentPositions - 1) / kSegmentPositions;
  finished_ = std::make_unique<std::atomic<uint32_t>[]>(most_split_ / kMaxQueryRows);
  parts_bytes_ = uint64_t{most_split_} * segments_ * attention_part_floats(head_dim_) * sizeof(float);
  INGLE_TRY(std::byte* const memory, device.allocate(parts_bytes_));
  parts_ = reinterpret_cast<float*>(memory);
  return {};
}

void Attention::release(HardwareOps& device) {
  device.deallocate(reinterpret_cast<std::byte*>(parts_), parts_bytes_);
}

KvView Attention::view(const KernelDesc& kernel, const SequenceRows& sequence) const {
  return {kv_layer_format(format_, kernel.layer), kernel.head_dim, sequence.pages[kernel.state_group],
          layer_offsets_[kernel.layer]};
}

std::vector<float> Attention::weights(const KernelDesc& kernel, const SequenceRows& sequence, const float* q,
                                      uint32_t position) const {
  const KvView kv = view(kernel, sequence);
  const uint32_t first = first_seen(kernel.window, position), count = position + 1 - first;
  const uint32_t group = kernel.heads / kernel.kv_heads;
  std::vector<float> weights(size_t{kernel.heads} * count), key(kernel.head_dim);
  for (uint32_t kv_head = 0; kv_head < kernel.kv_heads; ++kv_head) {
    for (uint32_t i = 0; i < count; ++i) {
      read_key(kv, kv_head, first + i, key.data());
      for (uint32_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        double score = 0;
        for (uint32_t d = 0; d < kernel.head_dim; ++d) score += double{q[head * kernel.head_dim + d]} * key[d];
        score *= kernel.factor;
        if (kernel.cap != 0.0f) score = kernel.cap * std::tanh(score / kernel.cap);
        weights[size_t{head} * count + i] = static_cast<float>(score);
      }
    }
  }
  for (uint32_t head = 0; head < kernel.heads; ++head) {
    const auto of_head = std::span(weights).subspan(size_t{head} * count, count);
    const float best = *std::ranges::max_element(of_head);
    double sum = 0;
    for (float& weight : of_head) sum += weight = std::exp(weight - best);
    for (float& weight : of_head) weight = static_cast<float>(weight / sum);
  }
  return weights;
}

size_t Attention::blocks_of(const KernelDesc& kernel, const SequenceRows& sequence) const {
  const size_t rows = size_t{sequence.rows} * (kernel.heads / kernel.kv_heads), most = block_rows(sequence);
  return (rows + most - 1) / most;
}

Attention::Block Attention::block(const KernelDesc& kernel, std::span<const SequenceRows> sequences,
                                  const AttentionArgs& of_all, size_t index) const {
  size_t token = 0;
  while (index >= blocks_of(kernel, sequences.front())) {
    index -= blocks_of(kernel, sequences.front());
    token += sequences.front().rows;
    sequences = sequences.subspan(1);
  }
  const SequenceRows& sequence = sequences.front();
  const size_t group = kernel.heads / kernel.kv_heads;
  Block block;
  AttentionArgs& args = block.args = of_all;
  args.q_stride = args.out_stride = size_t{kernel.heads} * kernel.head_dim;
  args.q += token * args.q_stride;
  if (args.out != nullptr) args.out += token * args.out_stride;
  args.first_row = token;
  args.kv = view(kernel, sequence);
  args.heads = kernel.heads;
  args.kv_heads = kernel.kv_heads;
  args.first_position = sequence.first_position;
  args.scale = kernel.factor;
  args.window = kernel.window;
  args.softcap = kernel.cap;
  if (kernel.bidirectional) args.prefix = sequence.first_position + sequence.rows;
  // The last rows see the most keys, and so come first.
  block.tiled = tiled(sequence);
  block.begin = (blocks_of(kernel, sequence) - 1 - index) * block_rows(sequence);
  block.end = std::min(block.begin + block_rows(sequence), sequence.rows * group);
  const auto first = static_cast<uint32_t>(sequence.first_position + block.begin / group);
  const auto last = last_seen(args.prefix, static_cast<uint32_t>(sequence.first_position + (block.end - 1) / group));
  block.first_segment = first_seen(args.window, first) / kSegmentPositions;
  block.last_segment = last / kSegmentPositions;
  return block;
}

void Attention::attend(const KernelDesc& kernel, std::span<const SequenceRows> sequences, const AttentionArgs& args,
                       Counter& counter, std::byte* scratch) {
  size_t blocks = 0, rows = 0;
  uint32_t segments = 1;
  for (const SequenceRows& sequence : sequences) {
    blocks += blocks_of(kernel, sequence);
    rows = std::max(rows, block_rows(sequence));
    segments = std::max(segments, (sequence.first_position + sequence.rows - 1) / kSegmentPositions + 1);
  }
  // A few blocks of a long context are shared out by segments of it.
  if (blocks * kernel.kv_heads * rows > most_split_) segments = 1;
  counter.take(blocks * kernel.kv_heads * segments, 1, [&](size_t task, size_t) {
    const size_t index = task / segments / kernel.kv_heads;
    const auto kv_head = static_cast<uint32_t>(task / segments % kernel.kv_heads);
    const Block block = this->block(kernel, sequences, args, index);
    if (segments > 1)
      attend_part(block, {index * kernel.kv_heads + kv_head, rows}, kv_head, static_cast<uint32_t>(task % segments),
                  scratch);
    else if (block.tiled)
      kernels_.attention_tiles(kernels_, block.args, kv_head, block.begin, block.end, scratch);
    else
      kernels_.attention(block.args, kv_head, block.begin, block.end, scratch);
  });
}

// Whoever finishes the last segment merges them.
void Attention::attend_part(const Block& block, Place place, uint32_t kv_head, uint32_t segment, std::byte* scratch) {
  if (segment < block.first_segment || segment > block.last_segment) return;
  const size_t stride = (block.end - block.begin) * attention_part_floats(block.args.kv.head_dim);
  float* parts = parts_ + place.index * segments_ * place.rows * attention_part_floats(head_dim_);
  const uint32_t wanted = block.last_segment - block.first_segment + 1;
  const auto attend = block.tiled ? kernels_.attention_tiles_part : kernels_.attention_part;
  attend(block.args, kv_head, block.begin, block.end, segment, parts + (segment - block.first_segment) * stride,
         scratch);
  if (finished_[place.index].fetch_add(1, std::memory_order_acq_rel) + 1 < wanted) return;
  finished_[place.index].store(0, std::memory_order_relaxed);
  kernels_.attention_merge(block.args, kv_head, block.begin, block.end, block.first_segment, block.last_segment, parts,
                           stride);
}

}  // namespace ingle::core
