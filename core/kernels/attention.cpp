// Causal attention of query rows that share a key-value head, in one pass over the keys (online softmax: Milakov and
// Gimelshein 2018, "Online normalizer calculation for softmax"). Keys are read 16 positions to a vector, values one
// position at a time along the head's dimension, so neither needs a horizontal sum. Chunks of 64 keys start at
// multiples of 64, and a chunk that a row may not see leaves its state as it was: a row's result does not depend on its
// neighbours.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/attention.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/simd/math.inc.h"

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

template <bool f16>
inline F32 load_kv(const void* base, size_t index) {
  if constexpr (f16)
    return F32::load_f16(static_cast<const uint16_t*>(base) + index);
  else
    return F32::load(static_cast<const float*>(base) + index);
}

inline void scale_head(float* head, size_t head_dim, float factor) {
  for (size_t i = 0; i < head_dim; i += 16) {
    const size_t n = std::min<size_t>(16, head_dim - i);
    (F32::load_n(head + i, n) * F32::set1(factor)).store_n(head + i, n);
  }
}

// What one row has gathered so far.
struct RowState {
  const float* q;
  float* out;            // unnormalised sum of p * v
  uint32_t first, last;  // positions it sees, inclusive
  float maximum, sum;
};

// Blocks of 16 keys that are scored together, so that each value of a query is read once for all of them.
constexpr int kKeyBlocks = F32::registers == 32 ? 2 : 1;

// scores[row][0 .. 16 * kKeyBlocks) of blocks of 16 keys.
template <bool f16, int R>
void score_blocks(const void* keys, size_t base, uint32_t head_dim, const RowState* rows, float* scores) {
  const size_t block = 16 * kv_stride(head_dim);
  F32 acc[kKeyBlocks][R];
  for (auto& of_block : acc)
    for (F32& sum : of_block) sum = F32::zero();
  for (size_t i = 0; i < head_dim; ++i) {
    F32 k[kKeyBlocks];
    for (int b = 0; b < kKeyBlocks; ++b) k[b] = load_kv<f16>(keys, base + static_cast<size_t>(b) * block + i * 16);
    for (int r = 0; r < R; ++r) {
      const F32 q = F32::set1(rows[r].q[i]);
      for (int b = 0; b < kKeyBlocks; ++b) acc[b][r] = acc[b][r].fma(k[b], q);
    }
  }
  for (int b = 0; b < kKeyBlocks; ++b)
    for (int r = 0; r < R; ++r) acc[b][r].store(scores + r * kAttentionChunk + 16 * b);
}

// rows' out += p . values for `count` positions, two vectors of the head's dimension at a time.
template <bool f16, int R>
void add_values(const void* values, size_t base, size_t count, uint32_t head_dim, const float* p, RowState* rows) {
  const size_t stride = kv_stride(head_dim);
  size_t i = 0;
  for (; i + 32 <= head_dim; i += 32) {
    F32 low[R], high[R];
    for (int r = 0; r < R; ++r) {
      low[r] = F32::load(rows[r].out + i);
      high[r] = F32::load(rows[r].out + i + 16);
    }
    for (size_t k = 0; k < count; ++k) {
      const F32 v = load_kv<f16>(values, base + k * stride + i), w = load_kv<f16>(values, base + k * stride + i + 16);
      for (int r = 0; r < R; ++r) {
        const F32 weight = F32::set1(p[r * kAttentionChunk + k]);
        low[r] = low[r].fma(weight, v);
        high[r] = high[r].fma(weight, w);
      }
    }
    for (int r = 0; r < R; ++r) {
      low[r].store(rows[r].out + i);
      high[r].store(rows[r].out + i + 16);
    }
  }
  for (; i < head_dim; i += 16) {
    const size_t n = std::min<size_t>(16, head_dim - i);
    for (int r = 0; r < R; ++r) {
      F32 acc = F32::load_n(rows[r].out + i, n);
      for (size_t k = 0; k < count; ++k)
        acc = acc.fma(F32::set1(p[r * kAttentionChunk + k]), load_kv<f16>(values, base + k * stride + i));
      acc.store_n(rows[r].out + i, n);
    }
  }
}

constexpr size_t kChunkVectors = kAttentionChunk / 16;

// Of a chunk of scores, what a row may not see becomes `value`.
void mask(uint32_t chunk, const RowState& row, float value, float* scores) {
  const uint32_t begin = row.first > chunk ? row.first - chunk : 0;
  const uint32_t end = row.last + 1 - chunk;  // chunks start at or before the last position of any row
  const auto clamp = [](uint32_t k) { return std::min(k, uint32_t{kAttentionChunk}); };
  std::fill(scores, scores + clamp(begin), value);
  std::fill(scores + clamp(end), scores + kAttentionChunk, value);
}

// Masks, exponentiates and sums one row's chunk of scores in place; rescales what the row has gathered.
void soften(const AttentionArgs& args, uint32_t chunk, RowState& row, float* scores) {
  if (row.last < chunk || row.first >= chunk + kAttentionChunk) {
    std::memset(scores, 0, kAttentionChunk * sizeof(float));
    return;
  }
  const bool masked = chunk < row.first || chunk + kAttentionChunk - 1 > row.last;
  F32 s[kChunkVectors];
  for (size_t k = 0; k < kChunkVectors; ++k) {
    s[k] = F32::load(scores + 16 * k) * F32::set1(args.scale);
    if (args.softcap != 0.0f) s[k] = tanh(s[k] / F32::set1(args.softcap)) * F32::set1(args.softcap);
    if (masked) s[k].store(scores + 16 * k);
  }
  if (masked) {
    mask(chunk, row, kMinusInfinity, scores);
    for (size_t k = 0; k < kChunkVectors; ++k) s[k] = F32::load(scores + 16 * k);
  }
  F32 largest = F32::set1(kMinusInfinity);
  for (const F32& of_keys : s) largest = F32::max(largest, of_keys);
  const float maximum = std::max(row.maximum, largest.reduce_max());
  for (size_t k = 0; k < kChunkVectors; ++k) {
    s[k] = exp(s[k] - F32::set1(maximum));
    s[k].store(scores + 16 * k);
  }
  if (masked) {
    // exp saturates above zero: what is masked must weigh exactly nothing.
    mask(chunk, row, 0.0f, scores);
    for (size_t k = 0; k < kChunkVectors; ++k) s[k] = F32::load(scores + 16 * k);
  }
  F32 sum = F32::zero();
  for (const F32& of_keys : s) sum = sum + of_keys;
  if (maximum != row.maximum) {
    const float factor = row.maximum == kMinusInfinity ? 0.0f : std::exp(row.maximum - maximum);
    row.sum *= factor;
    scale_head(row.out, args.head_dim, factor);
    row.maximum = maximum;
  }
  row.sum += sum.reduce_add();
}

template <bool f16, int R>
void attend(const AttentionArgs& args, uint32_t kv_head, RowState* rows, float* scores) {
  uint32_t first = rows[0].first, last = rows[0].last;
  for (int r = 1; r < R; ++r) {
    first = std::min(first, rows[r].first);
    last = std::max(last, rows[r].last);
  }
  const size_t stride = kv_stride(args.head_dim);
  const size_t head_base = size_t{kv_head} * args.kv.capacity * stride;
  for (uint32_t chunk = first / uint32_t{kAttentionChunk} * uint32_t{kAttentionChunk}; chunk <= last;
       chunk += kAttentionChunk) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(kAttentionChunk, last - chunk + 1));
    // The state holds whole chunks: what lies behind `count` is read, and masked.
    for (uint32_t k = 0; k < count; k += 16 * kKeyBlocks)
      score_blocks<f16, R>(args.kv.keys, head_base + size_t{chunk + k} * stride, args.head_dim, rows, scores + k);
    for (int r = 0; r < R; ++r) soften(args, chunk, rows[r], scores + r * kAttentionChunk);
    add_values<f16, R>(args.kv.values, head_base + size_t{chunk} * stride, count, args.head_dim, scores, rows);
  }
  for (int r = 0; r < R; ++r) scale_head(rows[r].out, args.head_dim, 1.0f / rows[r].sum);
}

template <bool f16>
void attend_any(const AttentionArgs& args, uint32_t kv_head, size_t count, RowState* rows, float* scores) {
  switch (count) {
    case 1:
      return attend<f16, 1>(args, kv_head, rows, scores);
    case 2:
      return attend<f16, 2>(args, kv_head, rows, scores);
    case 3:
      return attend<f16, 3>(args, kv_head, rows, scores);
    case 4:
      return attend<f16, 4>(args, kv_head, rows, scores);
    case 5:
      return attend<f16, 5>(args, kv_head, rows, scores);
    case 6:
      return attend<f16, 6>(args, kv_head, rows, scores);
    case 7:
      return attend<f16, 7>(args, kv_head, rows, scores);
    default:
      return attend<f16, 8>(args, kv_head, rows, scores);
  }
}

}  // namespace

void attention(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, std::byte* scratch) {
  auto* scores = reinterpret_cast<float*>(scratch);
  RowState rows[kMaxQueryRows];
  const uint32_t group = args.heads / args.kv_heads;
  for (size_t r = begin; r < end; ++r) {
    const size_t token = r / group;
    const size_t head = size_t{kv_head} * group + r % group;
    const auto position = static_cast<uint32_t>(args.first_position + token);
    float* out = args.out + token * args.out_stride + head * args.head_dim;
    std::memset(out, 0, args.head_dim * sizeof(float));
    rows[r - begin] = {args.q + token * args.q_stride + head * args.head_dim,
                       out,
                       args.window != 0 && position + 1 > args.window ? position + 1 - args.window : 0,
                       position,
                       kMinusInfinity,
                       0.0f};
  }
  if (args.kv.f16)
    attend_any<true>(args, kv_head, end - begin, rows, scores);
  else
    attend_any<false>(args, kv_head, end - begin, rows, scores);
}

void store_kv(const KvView& kv, uint32_t kv_head, uint32_t head_dim, uint32_t position, const float* key,
              const float* value) {
  const size_t stride = kv_stride(head_dim);
  const size_t base = size_t{kv_head} * kv.capacity * stride;
  const size_t key_base = base + size_t{position / 16} * 16 * stride + position % 16;
  const size_t value_base = base + size_t{position} * stride;
  for (size_t i = 0; i < head_dim; i += 16) {
    const size_t n = std::min<size_t>(16, head_dim - i);
    const F32 k = F32::load_n(key + i, n), v = F32::load_n(value + i, n);
    if (kv.f16) {
      uint16_t halves[16];
      k.store_f16(halves);
      for (size_t j = 0; j < n; ++j) static_cast<uint16_t*>(kv.keys)[key_base + (i + j) * 16] = halves[j];
      v.store_f16(static_cast<uint16_t*>(kv.values) + value_base + i);
    } else {
      for (size_t j = 0; j < n; ++j) static_cast<float*>(kv.keys)[key_base + (i + j) * 16] = key[i + j];
      v.store(static_cast<float*>(kv.values) + value_base + i);
    }
  }
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t attention_scratch_bytes(size_t) {
  return kMaxQueryRows * kAttentionChunk * sizeof(float);
}

}  // namespace ingle::core
#endif
