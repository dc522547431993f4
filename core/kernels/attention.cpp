// Attention of query rows that share a key-value head, causal but for a prefix that all of them see, in one pass over
// the keys (online softmax: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"), page by page.
// Exponentials are powers of two: scores are scaled by log2 e before.
//
// A cache of codes (kv_cache.h) is multiplied as integers: queries are quantised like keys, in groups of 32 dimensions;
// what the values are weighed by, a probability times a value's scale, becomes 16-bit integers, per page and group of
// dimensions, so that rounding it is worth 2^-16 of the page's largest.
//
// Keys are taken in segments (kSegmentPositions) that start from nothing and are merged in order, so that several
// threads can share a long context; within a segment, a page that a row may not see leaves the row as it was. So a
// row's result depends on its position only: not on its neighbours, not on who computed what.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/kernels/attention_scratch.h"
#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/attention.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {

void quantize_row(const float* x, size_t columns, ActivationGroup* out);
void rotate(float* head, size_t head_dim);

namespace {

#include "core/simd/math.inc.h"

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr float kLog2E = 1.44269504089f;

// Blocks of 16 keys or dimensions of values, and rows of queries, that are multiplied together: as many as there are
// registers for their sums.
constexpr int kKeyBlocks = F32::registers == 32 ? 2 : 1;
constexpr size_t kValueBlocks = F32::registers == 32 ? 2 : 1;
constexpr size_t kTileRowsMost = F32::registers == 32 ? 6 : 3;
constexpr size_t kPageVectors = kPagePositions / 16;
static_assert(kPageVectors == 4);  // added up in this order everywhere

// What one row has gathered of a segment.
struct RowState {
  const float* q;
  const ActivationGroup* codes;  ///< of q, where the cache has codes
  float* out;                    ///< unnormalised sum of p * v
  float* sums;                   ///< [16]; together the sum of all p
  uint32_t first, last;          ///< positions it sees, inclusive
  float maximum;                 ///< of the scores so far
  float factor[16];              ///< what `out` is to be multiplied by before this page's values are added, 16 times
};

#include "core/kernels/attention_both.inc.h"
#include "core/kernels/attention_codes.inc.h"
#include "core/kernels/attention_floats.inc.h"

// Of a page of scores, what a row may not see becomes `value`.
void mask(uint32_t page_start, const RowState& row, float value, float* scores) {
  const uint32_t begin = row.first > page_start ? row.first - page_start : 0;
  const uint32_t end = row.last + 1 - page_start;
  const auto clamp = [](uint32_t k) { return std::min(k, kPagePositions); };
  std::fill(scores, scores + clamp(begin), value);
  std::fill(scores + clamp(end), scores + kPagePositions, value);
}

bool sees(const RowState& row, uint32_t page_start) {
  return row.first < page_start + kPagePositions && page_start <= row.last;
}
bool sees_all(const RowState& row, uint32_t page_start) {
  return row.first <= page_start && page_start + kPagePositions - 1 <= row.last;
}

// A page's scores of one row, scaled, in powers of two.
struct Scores {
  F32 s[kPageVectors];

  template <bool with_shares>
  static Scores scaled(const float* scores, const float* shares, float common, float scale) {
    Scores r;
    for (size_t k = 0; k < kPageVectors; ++k) {
      r.s[k] = F32::load(scores + 16 * k) * F32::set1(scale);
      if constexpr (with_shares) r.s[k] = r.s[k].fma(F32::load(shares + 16 * k), F32::set1(common * scale));
    }
    return r;
  }
  static Scores load(const float* scores) {
    Scores r;
    for (size_t k = 0; k < kPageVectors; ++k) r.s[k] = F32::load(scores + 16 * k);
    return r;
  }
  void store(float* scores) const {
    for (size_t k = 0; k < kPageVectors; ++k) s[k].store(scores + 16 * k);
  }
  float maximum() const { return F32::max(F32::max(s[0], s[1]), F32::max(s[2], s[3])).reduce_max(); }
  Scores weights(float highest) const {
    Scores r;
    for (size_t k = 0; k < kPageVectors; ++k) r.s[k] = exp2(s[k] - F32::set1(highest));
    return r;
  }
  F32 sum() const { return (s[0] + s[1]) + (s[2] + s[3]); }
};

// What the row has gathered so far is worth `factor` of what it was: 1 where the maximum stays, and as good as 0 at
// first, when nothing was gathered.
void gather(RowState& row, float maximum, F32 sum) {
  const F32 factor = exp2(F32::set1(row.maximum) - F32::set1(maximum));
  factor.store(row.factor);
  row.maximum = maximum;
  sum.fma(F32::load(row.sums), factor).store(row.sums);
}

// One row's scores of a page to weights, in place.
template <bool with_shares>
void soften(const AttentionArgs& args, uint32_t page_start, RowState& row, float* scores, const float* shares,
            float common) {
  if (!sees(row, page_start)) {
    F32::set1(1.0f).store(row.factor);
    std::memset(scores, 0, kPagePositions * sizeof(float));
    return;
  }
  const float scale = args.softcap != 0.0f ? args.scale / args.softcap : args.scale * kLog2E;
  Scores s = Scores::scaled<with_shares>(scores, shares, common, scale);
  if (args.softcap != 0.0f)
    for (F32& of_keys : s.s) of_keys = tanh(of_keys) * F32::set1(args.softcap * kLog2E);
  s.store(scores);
  mask(page_start, row, kMinusInfinity, scores);
  s = Scores::load(scores);
  const float maximum = std::max(row.maximum, s.maximum());
  s.weights(maximum).store(scores);
  // exp2 saturates above zero: what is masked must weigh exactly nothing.
  mask(page_start, row, 0.0f, scores);
  gather(row, maximum, Scores::load(scores).sum());
}

// The same for rows that see all of the page, without a cap: all maxima first, as one has to wait for each.
template <bool with_shares, int R>
void soften_whole(const AttentionArgs& args, RowState* rows, AttentionScratch& scratch) {
  float maximum[R];
  for (int r = 0; r < R; ++r) {
    const Scores s =
        Scores::scaled<with_shares>(scratch.scores[r], scratch.shares, scratch.offsets[r], args.scale * kLog2E);
    s.store(scratch.scores[r]);
    maximum[r] = std::max(rows[r].maximum, s.maximum());
  }
  for (int r = 0; r < R; ++r) {
    const Scores weights = Scores::load(scratch.scores[r]).weights(maximum[r]);
    weights.store(scratch.scores[r]);
    gather(rows[r], maximum[r], weights.sum());
  }
}

template <typename Page, int R>
void attend_tile(const AttentionArgs& args, const Page& page, uint32_t page_start, RowState* rows,
                 AttentionScratch& scratch) {
  page.template score<R>(rows, scratch);
  if (args.softcap == 0.0f &&
      std::all_of(rows, rows + R, [&](const RowState& row) { return sees_all(row, page_start); }))
    soften_whole<Page::kHasShares, R>(args, rows, scratch);
  else
    for (int r = 0; r < R; ++r)
      soften<Page::kHasShares>(args, page_start, rows[r], scratch.scores[r], scratch.shares, scratch.offsets[r]);
  page.template add_values<R>(rows, page_start, scratch);
}

template <typename Page>
void attend_page(const AttentionArgs& args, const Page& page, uint32_t page_start, RowState* rows, size_t count,
                 AttentionScratch& scratch) {
  // Tiles of equal sizes, as far as that goes.
  const size_t tiles = (count + kTileRowsMost - 1) / kTileRowsMost;
  for (size_t tile = 0; tile < tiles; ++tile) {
    const size_t begin = count * tile / tiles, end = count * (tile + 1) / tiles;
    if (std::none_of(rows + begin, rows + end, [&](const RowState& row) { return sees(row, page_start); })) continue;
    switch (end - begin) {
      case 1:
        attend_tile<Page, 1>(args, page, page_start, rows + begin, scratch);
        break;
      case 2:
        attend_tile<Page, 2>(args, page, page_start, rows + begin, scratch);
        break;
      case 3:
        attend_tile<Page, 3>(args, page, page_start, rows + begin, scratch);
        break;
      case 4:
        attend_tile<Page, 4>(args, page, page_start, rows + begin, scratch);
        break;
      case 5:
        attend_tile<Page, 5>(args, page, page_start, rows + begin, scratch);
        break;
      default:
        attend_tile<Page, 6>(args, page, page_start, rows + begin, scratch);
    }
  }
}

// The rows that were asked for, and the positions that any of them sees.
struct Rows {
  RowState rows[kMaxQueryRows];
  size_t count;
  uint32_t first, last;

  Rows(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end) : count(end - begin) {
    const uint32_t group = args.heads / args.kv_heads;
    for (size_t r = begin; r < end; ++r) {
      const size_t token = r / group, head = size_t{kv_head} * group + r % group;
      const auto position = static_cast<uint32_t>(args.first_position + token);
      RowState& row = rows[r - begin];
      row.q = args.q + token * args.q_stride + head * args.kv.head_dim;
      row.last = last_seen(args.prefix, position);
      row.first = first_seen(args.window, position);
    }
    first = rows[0].first;
    last = rows[count - 1].last;
  }
};

// Queries as codes, and padded.
void quantize_queries(const AttentionArgs& args, Rows& of, AttentionScratch& scratch) {
  const size_t head_dim = args.kv.head_dim, dim = kv_stride(head_dim), groups = dim / kGroup;
  float* q = scratch.queries(dim);
  ActivationGroup* codes = scratch.query_codes(dim);
  for (size_t r = 0; r < of.count; ++r, q += dim, codes += groups) {
    std::copy_n(of.rows[r].q, head_dim, q);
    std::fill(q + head_dim, q + dim, 0.0f);
    quantize_row(q, dim, codes);
    of.rows[r].q = q;
    of.rows[r].codes = codes;
  }
}

// The rows' results of one segment, to `part`: per row, the sums over its values, then the sums of its weights and
// their maximum.
void attend_segment(const AttentionArgs& args, uint32_t kv_head, Rows& of, uint32_t segment, float* part,
                    AttentionScratch& scratch) {
  const size_t dim = kv_stride(args.kv.head_dim), stride = attention_part_floats(args.kv.head_dim);
  std::memset(part, 0, of.count * stride * sizeof(float));
  for (size_t r = 0; r < of.count; ++r) {
    of.rows[r].out = part + r * stride;
    of.rows[r].sums = of.rows[r].out + dim;
    of.rows[r].maximum = kMinusInfinity;
  }
  scratch.ahead = {};
  const uint32_t begin = std::max(of.first, segment * kSegmentPositions) / kPagePositions;
  const uint32_t end = std::min(of.last, segment * kSegmentPositions + kSegmentPositions - 1) / kPagePositions;
  for (uint32_t index = begin; index <= end; ++index) {
    const uint32_t start = index * kPagePositions, count = std::min(kPagePositions, of.last + 1 - start);
    const auto attend = [&](const auto& page) { attend_page(args, page, start, of.rows, of.count, scratch); };
    const KvHead head = args.kv.head(kv_head, index);
    if (of.count <= kTileRowsMost) {
      if (index == begin) Ahead::of(args.kv, kv_head, index).all();
      scratch.ahead = index < end ? Ahead::of(args.kv, kv_head, index + 1) : Ahead{};
    }
    if (args.kv.format == KvFormat::f32)
      attend(FloatPage<false>{head.keys, head.values, args.kv.head_dim, dim, count});
    else if (args.kv.format == KvFormat::f16)
      attend(FloatPage<true>{head.keys, head.values, args.kv.head_dim, dim, count});
    else
      attend(CodePage(args.kv.format, head, dim, count, scratch));
  }
  for (size_t r = 0; r < of.count; ++r) {
    const RowState& row = of.rows[r];
    row.sums[0] = F32::load(row.sums).reduce_add();
    row.sums[1] = row.maximum;
  }
}

// Total results to where they belong; to floats directly, else they become what they should be in place before.
void finish(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t count, float* totals) {
  const uint32_t group = args.heads / args.kv_heads;
  const size_t head_dim = args.kv.head_dim, dim = kv_stride(head_dim), stride = attention_part_floats(head_dim);
  for (size_t r = 0; r < count; ++r, totals += stride) {
    const size_t token = (begin + r) / group, head = size_t{kv_head} * group + (begin + r) % group;
    float* out = args.out != nullptr ? args.out + token * args.out_stride + head * head_dim : totals;
    const F32 factor = F32::set1(1.0f / totals[dim]);
    for (size_t i = 0; i < head_dim; i += 16)
      (F32::load(totals + i) * factor).store_n(out + i, std::min<size_t>(16, head_dim - i));
    if (has_codes(args.kv.format)) rotate(out, head_dim);
    const size_t columns = args.heads * head_dim, row = args.first_row + token, column = head * head_dim;
    if (args.quantized_out != nullptr)
      quantize_row(out, head_dim, args.quantized_out + (row * columns + column) / kGroup);
    else if (args.tiles_out != nullptr)
      args.store_tile_row(out, head_dim, columns, row, column, args.tiles_out);
  }
}

}  // namespace

void attention_part(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                    float* part, std::byte* memory) {
  auto& scratch = *reinterpret_cast<AttentionScratch*>(memory);
  Rows rows(args, kv_head, begin, end);
  if (has_codes(args.kv.format)) quantize_queries(args, rows, scratch);
  attend_segment(args, kv_head, rows, segment, part, scratch);
}

void attention_merge(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t first,
                     uint32_t last, const float* parts, size_t stride) {
  const size_t dim = kv_stride(args.kv.head_dim), row_stride = attention_part_floats(args.kv.head_dim);
  alignas(64) float total[kMaxHeadDim + 16];
  for (size_t r = 0; r < end - begin; ++r) {
    std::memset(total, 0, row_stride * sizeof(float));
    for (uint32_t segment = first; segment <= last; ++segment)
      merge(dim, parts + (segment - first) * stride + r * row_stride, total);
    finish(args, kv_head, begin + r, 1, total);
  }
}

void attention(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, std::byte* memory) {
  auto& scratch = *reinterpret_cast<AttentionScratch*>(memory);
  const size_t dim = kv_stride(args.kv.head_dim), stride = attention_part_floats(args.kv.head_dim);
  Rows rows(args, kv_head, begin, end);
  if (has_codes(args.kv.format)) quantize_queries(args, rows, scratch);
  float* totals = scratch.totals(dim);
  std::memset(totals, 0, rows.count * stride * sizeof(float));
  for (uint32_t segment = rows.first / kSegmentPositions; segment <= rows.last / kSegmentPositions; ++segment) {
    float* part = scratch.part(dim);
    attend_segment(args, kv_head, rows, segment, part, scratch);
    for (size_t r = 0; r < rows.count; ++r) merge(dim, part + r * stride, totals + r * stride);
  }
  finish(args, kv_head, begin, rows.count, totals);
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t attention_scratch_bytes(size_t head_dim) {
  return AttentionScratch::bytes(kv_stride(head_dim));
}

}  // namespace ingle::core
#endif
