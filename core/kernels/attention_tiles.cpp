// Attention of many query rows that share a key-value head, on a unit that multiplies tiles of bf16 (AMX).
//
// As in attention.cpp, keys come in segments that start from nothing and are merged in order. Of one segment, keys and
// values are decoded to tiles once, for all rows. Then, 16 rows at a time, all scores are made, then their maxima, then
// the weights as bf16 and their products with the values: nothing is scaled again within a segment.
//
// What keys of a page share (kv_cache.h) is too large for bf16, and so are keys that are kept in 16 bits. Both are
// split into two values of bf16 each, as queries are, and of the four products the smallest is left out.
//
// A row's result depends on its position only: what it may not see weighs exactly nothing.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/kernels/attention_scratch.h"
#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/attention_tiles.cpp"
#define INGLE_SIMD_TILE_UNITS
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/kernels/attention_both.inc.h"
#include "core/simd/math.inc.h"

constexpr float kLog2E = 1.44269504089f;
constexpr size_t kPageBlocks = kPagePositions / 16, kPageSteps = kPagePositions / kTileColumns;

// Less than any score, and so far below that 2^ of the difference is exactly zero.
constexpr float kHidden = -1e30f;
// Added to 16 scores, hides the first m with load(kEdges + 16 - m), or all but the first n with load(kEdges + 32 - n).
constexpr float kEdges[48] = {kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden,
                              kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, 0,       0,       0,       0,
                              0,       0,       0,       0,       0,       0,       0,       0,       0,       0,
                              0,       0,       kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden,
                              kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden, kHidden};

// 2^x for x <= 0, within 1.1e-4 of it, which is a twentieth of what rounding to bf16 may cost; 2^0 is exactly 1. As
// exp2() with a polynomial of degree 3.
F32 coarse_exp2(F32 x) {
  const F32 n = x.round();
  const F32 r = x - n;
  F32 p = F32::set1(0.05500893f);
  p = F32::set1(0.24221097f).fma(p, r);
  p = F32::set1(0.69328293f).fma(p, r);
  p = F32::set1(1.0f).fma(p, r);
  return p.times_exp2(n);
}

// Tiles 0 to count - 1 of the unit += the products of `steps` tiles at `left` with as many at `right`, at right + tile,
// and so on.
template <int count>
void multiply(TileUnit& unit, const uint16_t* left, const uint16_t* right, size_t steps, size_t right_step,
              size_t tile) {
  for (size_t step = 0; step < steps; ++step, left += kTileValues, right += right_step) {
    unit.load<4>(left);
    unit.load_once<5>(right);
    if constexpr (count > 1) unit.load_once<6>(right + tile);
    if constexpr (count > 2) unit.load_once<7>(right + 2 * tile);
    unit.add_products<0, 4, 5>();
    if constexpr (count > 1) unit.add_products<1, 4, 6>();
    if constexpr (count > 2) {
      unit.add_products<2, 4, 7>();
      unit.load_once<5>(right + 3 * tile);
      unit.add_products<3, 4, 5>();
    }
  }
}

template <int count>
void begin(TileUnit& unit) {
  unit.zero<0>();
  if constexpr (count > 1) unit.zero<1>();
  if constexpr (count > 2) unit.zero<2>();
  if constexpr (count > 2) unit.zero<3>();
}

template <int count>
void store(const TileUnit& unit, float (*tiles)[kTileRows][16]) {
  unit.store<0>(tiles[0]);
  if constexpr (count > 1) unit.store<1>(tiles[1]);
  if constexpr (count > 2) unit.store<2>(tiles[2]);
  if constexpr (count > 2) unit.store<3>(tiles[3]);
}

// 16 keys, or common directions of pages, that are f16 [dimension][16], to tiles of both their parts.
void store_split(const uint16_t* halves, size_t dim, uint16_t* tiles) {
  alignas(64) uint16_t rounded[32];
  for (size_t i = 0; i < dim; i += 2, halves += 32, tiles += 32) {
    const F32 even = F32::load_f16(halves), odd = F32::load_f16(halves + 16);
    store_bf16(even, odd, rounded);
    store_bf16_pairs(even, odd, tiles);
    store_bf16_pairs(even - F32::load_bf16(rounded), odd - F32::load_bf16(rounded + 16), tiles + 16 * dim);
  }
}

class TileAttention {
 public:
  TileAttention(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, AttentionTileScratch& scratch)
      : args_(args),
        kv_head_(kv_head),
        begin_(begin),
        count_(end - begin),
        dim_(kv_stride(args.kv.head_dim)),
        codes_(has_codes(args.kv.format)),
        scratch_(scratch) {
    store_queries();
  }

  uint32_t first_segment() const { return first_seen(args_.window, position(0)) / kSegmentPositions; }
  uint32_t last_segment() const { return last_seen(args_.prefix, position(count_ - 1)) / kSegmentPositions; }

  // As Kernels::attention_part() says.
  void attend(uint32_t segment, float* part) {
    start_ = segment * kSegmentPositions;
    decode(pages(0, count_));
    for (size_t row = 0; row < count_; row += kTileRows)
      attend_rows(row, std::min(kTileRows, count_ - row), part + row * attention_part_floats(args_.kv.head_dim));
  }

 private:
  struct Range {
    uint32_t begin, end;
  };

  uint32_t position(size_t row) const {
    return static_cast<uint32_t>(args_.first_position + (begin_ + row) / (args_.heads / args_.kv_heads));
  }
  // Of the segment, what a row sees: positions and, of several rows, pages.
  Range seen(size_t row) const {
    const auto clamp = [&](uint32_t p) { return std::min(std::max(p, start_) - start_, kSegmentPositions); };
    return {clamp(first_seen(args_.window, position(row))), clamp(last_seen(args_.prefix, position(row)) + 1)};
  }
  Range pages(size_t row, size_t count) const {
    return {seen(row).begin / kPagePositions, (seen(row + count - 1).end + kPagePositions - 1) / kPagePositions};
  }

  // Both parts of all queries, scaled so that scores are powers of two, or what their cap is applied to.
  void store_queries() {
    const size_t head_dim = args_.kv.head_dim, group = args_.heads / args_.kv_heads;
    const F32 scale = F32::set1(args_.softcap != 0.0f ? args_.scale / args_.softcap : args_.scale * kLog2E);
    for (size_t row = 0; row < (count_ + kTileRows - 1) / kTileRows * kTileRows; ++row) {
      const size_t token = (begin_ + row) / group, head = size_t{kv_head_} * group + (begin_ + row) % group;
      uint16_t* tiles = queries(row) + row % kTileRows * kTileColumns;
      for (size_t i = 0; i < dim_; i += kTileColumns, tiles += kTileValues) {
        const auto load = [&](size_t at) {
          if (row >= count_ || at >= head_dim) return F32::zero();
          const float* q = args_.q + token * args_.q_stride + head * head_dim + at;
          return F32::load_n(q, std::min<size_t>(16, head_dim - at)) * scale;
        };
        const F32 low = load(i), high = load(i + 16);
        store_bf16(low, high, tiles);
        store_bf16(low - F32::load_bf16(tiles), high - F32::load_bf16(tiles + 16), tiles + 16 * dim_);
      }
    }
  }
  uint16_t* queries(size_t row) const { return scratch_.queries() + row / kTileRows * 2 * kTileRows * dim_; }
  size_t key_stride() const { return (codes_ ? 1 : 2) * 16 * dim_; }
  uint16_t* keys(size_t block) const { return scratch_.keys(dim_) + block * key_stride(); }
  uint16_t* values(size_t step) const { return scratch_.values(dim_) + step * kTileColumns * dim_; }

  void decode(Range pages) {
    for (uint32_t page = pages.begin; page < pages.end; ++page) {
      const KvHead head = args_.kv.head(kv_head_, start_ / kPagePositions + page);
      if (codes_)
        decode_codes(head, page);
      else
        decode_floats(head, page);
    }
    if (codes_) store_split(scratch_.common[0], dim_, scratch_.directions(dim_));
  }

  void decode_floats(const KvHead& head, uint32_t page) {
    const auto* from = reinterpret_cast<const uint16_t*>(head.keys);
    for (size_t block = 0; block < kPageBlocks; ++block)
      store_split(from + block * 16 * dim_, dim_, keys(page * kPageBlocks + block));
    from = reinterpret_cast<const uint16_t*>(head.values);
    for (size_t k = 0; k < kPagePositions; k += 2)
      for (size_t i = 0; i < dim_; i += 16)
        store_bf16_pairs(F32::load_f16(from + k * dim_ + i), F32::load_f16(from + (k + 1) * dim_ + i),
                         value_tile(page, k, i));
  }

  void decode_codes(const KvHead& head, uint32_t page) {
    const auto* key_codes = reinterpret_cast<const uint8_t*>(head.keys);
    const auto* value_codes = reinterpret_cast<const uint8_t*>(head.values);
    if (args_.kv.format == KvFormat::q4_0) {
      const size_t planes = kPagePositions * dim_ / 128;
      expand_codes(head.keys, planes, 4, scratch_.key_codes);
      expand_codes(head.values, planes, 1, scratch_.value_codes);
      key_codes = scratch_.key_codes;
      value_codes = scratch_.value_codes;
    }
    const size_t groups = dim_ / kGroup;
    for (size_t block = 0; block < kPageBlocks; ++block) {
      uint16_t* out = keys(page * kPageBlocks + block);
      for (size_t group = 0; group < groups; ++group) {
        const TileDecoder<true> decoder(F32::load_f16(head.key_scales + (block * groups + group) * 16), F32::zero(),
                                        128.0f);
        for (size_t j = 0; j < kGroup / 4; ++j, key_codes += 64, out += 64)
          decoder.store(Quad::load(key_codes).flip_sign(), out);
      }
    }
    for (size_t group = 0; group < groups; ++group) {
      for (size_t k = 0; k < kPagePositions; k += 16)
        F32::load_f16(head.value_scales + group * kPagePositions + k).store(scratch_.value_scales + k);
      const uint8_t* quads = value_codes + group * kGroup * 4;
      for (size_t k = 0; k < kPagePositions; k += 4, quads += 4 * dim_) {
        uint16_t* out = value_tile(page, k, group * kGroup);
        TileDecoder<true>::store_columns(Quad::load(quads).flip_sign(), scratch_.value_scales + k, out);
        TileDecoder<true>::store_columns(Quad::load(quads + 64).flip_sign(), scratch_.value_scales + k,
                                         out + kTileValues);
      }
    }
    for (size_t k = 0; k < kPagePositions; k += 16)
      F32::load_f16(head.shares + k).store(scratch_.shares + page * kPagePositions + k);
    for (size_t i = 0; i < dim_; ++i) scratch_.common[i][page] = head.common[i];
  }

  // Where position k of a page and the next one have their values of dimensions [i, i + 16).
  uint16_t* value_tile(uint32_t page, size_t k, size_t i) const {
    return values(page * kPageSteps + k / kTileColumns) + i / 16 * kTileValues + k % kTileColumns / 2 * 32;
  }

  // `count` rows by the segment.
  void attend_rows(size_t row, size_t count, float* part) {
    const Range pages = this->pages(row, count);
    const size_t stride = attention_part_floats(args_.kv.head_dim);
    if (pages.begin >= pages.end) {
      for (size_t r = 0; r < count; ++r) part[r * stride + dim_] = 0.0f;
      return;
    }
    if (codes_) multiply_directions(row);
    for (size_t r = 0; r < kTileRows; ++r) {
      F32::set1(2 * kHidden).store(scratch_.maxima[r]);
      F32::zero().store(scratch_.sums[r]);
    }
    const uint32_t all_from = seen(row + count - 1).begin, all_to = seen(row).end;
    // The unit is a page ahead of the vectors.
    score(row, pages.begin);
    for (uint32_t page = pages.begin; page < pages.end; ++page) {
      if (page + 1 < pages.end) score(row, page + 1);
      const bool whole =
          args_.softcap == 0.0f && all_from <= page * kPagePositions && (page + 1) * kPagePositions <= all_to;
      if (codes_)
        whole ? complete<true, true>(row, count, page) : complete<true, false>(row, count, page);
      else
        whole ? complete<false, true>(row, count, page) : complete<false, false>(row, count, page);
    }
    float maxima[kTileRows];
    for (size_t r = 0; r < kTileRows; ++r) maxima[r] = F32::load(scratch_.maxima[r]).reduce_max();
    for (size_t i = 0; i < dim_; i += 64) {
      const bool first = i == 0;
      if (i + 64 <= dim_)
        first ? add_values<4, true>(pages, i, maxima) : add_values<4, false>(pages, i, maxima);
      else
        first ? add_values<2, true>(pages, i, maxima) : add_values<2, false>(pages, i, maxima);
      for (size_t r = 0; r < count; ++r)
        for (size_t j = 0; j < std::min<size_t>(64, dim_ - i); j += 16)
          F32::load(scratch_.products[j / 16][r]).store(part + r * stride + i + j);
    }
    // A row that sees nothing of it has a maximum that merge() gives no weight.
    for (size_t r = 0; r < count; ++r) {
      part[r * stride + dim_] = F32::load(scratch_.sums[r]).reduce_add();
      part[r * stride + dim_ + 1] = maxima[r];
    }
  }

  void multiply_directions(size_t row) {
    begin<1>(unit_);
    multiply_split<1>(queries(row), scratch_.directions(dim_), 0);
    unit_.store<0>(scratch_.offsets);
  }

  template <int count>
  void multiply_split(const uint16_t* left, const uint16_t* right, size_t tile) {
    const size_t steps = dim_ / kTileColumns, rest = 16 * dim_;
    multiply<count>(unit_, left, right, steps, kTileValues, tile);
    multiply<count>(unit_, left, right + rest, steps, kTileValues, tile);
    multiply<count>(unit_, left + rest, right, steps, kTileValues, tile);
  }

  // Scores of a page but for what its keys share.
  void score(size_t row, uint32_t page) {
    const size_t block = page * kPageBlocks;
    begin<4>(unit_);
    if (codes_)
      multiply<4>(unit_, queries(row), keys(block), dim_ / kTileColumns, kTileValues, key_stride());
    else
      multiply_split<4>(queries(row), keys(block), key_stride());
    store<4>(unit_, scratch_.scores + block);
  }

  // What else belongs to a page's scores, and their maxima; `whole` where there is no cap and all rows see all of it.
  template <bool shares, bool whole>
  void complete(size_t row, size_t count, uint32_t page) {
    auto* scores = scratch_.scores + page * kPageBlocks;
    F32 share[kPageBlocks];
    if constexpr (shares)
      for (size_t k = 0; k < kPageBlocks; ++k) share[k] = F32::load(scratch_.shares + page * kPagePositions + 16 * k);
    for (size_t r = 0; r < kTileRows; ++r) {
      F32 maximum = F32::load(scratch_.maxima[r]);
      for (size_t k = 0; k < kPageBlocks; ++k) {
        F32 s = F32::load(scores[k][r]);
        if constexpr (shares) s = s.fma(share[k], F32::set1(scratch_.offsets[r][page]));
        if constexpr (!whole) s = visible(s, row + std::min(r, count - 1), page * kPagePositions + 16 * k);
        if constexpr (shares || !whole) s.store(scores[k][r]);
        maximum = F32::max(maximum, s);
      }
      maximum.store(scratch_.maxima[r]);
    }
  }

  // 16 scores of a row, capped, of which those that it may not see are hidden.
  F32 visible(F32 s, size_t row, size_t block) const {
    if (args_.softcap != 0.0f) s = tanh(s) * F32::set1(args_.softcap * kLog2E);
    const Range seen = this->seen(row);
    const auto here = [&](uint32_t p) {
      return std::clamp<ptrdiff_t>(ptrdiff_t{p} - static_cast<ptrdiff_t>(block), 0, 16);
    };
    return s + F32::load(kEdges + 16 - here(seen.begin)) + F32::load(kEdges + 32 - here(seen.end));
  }

  // The weights of 32 positions as a tile.
  void weigh(size_t step, const float* maxima) {
    AttentionTileScratch& scratch = scratch_;
    for (size_t r = 0; r < kTileRows; ++r) {
      const F32 highest = F32::set1(maxima[r]);
      const F32 a = coarse_exp2(F32::load(scratch.scores[2 * step][r]) - highest);
      const F32 b = coarse_exp2(F32::load(scratch.scores[2 * step + 1][r]) - highest);
      (F32::load(scratch.sums[r]) + (a + b)).store(scratch.sums[r]);
      store_bf16(a, b, scratch.weights[step][r]);
    }
  }

  // The weighted sums of values, of `tiles` times 16 dimensions from i on. Where there are no weights yet, vectors make
  // them one step ahead of the unit.
  template <int tiles, bool weighs>
  void add_values(Range pages, size_t i, const float* maxima) {
    const size_t end = pages.end * kPageSteps;
    begin<tiles>(unit_);
    if constexpr (weighs) weigh(pages.begin * kPageSteps, maxima);
    for (size_t step = pages.begin * kPageSteps; step < end; ++step) {
      if (weighs && step + 1 < end) weigh(step + 1, maxima);
      multiply<tiles>(unit_, scratch_.weights[step][0], values(step) + i / 16 * kTileValues, 1, 0, kTileValues);
    }
    store<tiles>(unit_, scratch_.products);
  }

  const AttentionArgs& args_;
  const uint32_t kv_head_;
  const size_t begin_, count_, dim_;
  const bool codes_;
  AttentionTileScratch& scratch_;
  TileUnit unit_;
  uint32_t start_ = 0;  ///< of the segment
};

}  // namespace

void attention_tiles_part(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                          float* part, std::byte* scratch) {
  TileAttention(args, kv_head, begin, end, *reinterpret_cast<AttentionTileScratch*>(scratch)).attend(segment, part);
}

void attention_tiles(const Kernels& kernels, const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end,
                     std::byte* memory) {
  auto& scratch = *reinterpret_cast<AttentionTileScratch*>(memory);
  const size_t dim = kv_stride(args.kv.head_dim), stride = attention_part_floats(args.kv.head_dim);
  float *part = scratch.part(dim), *totals = scratch.totals(dim);
  std::memset(totals, 0, (end - begin) * stride * sizeof(float));
  TileAttention rows(args, kv_head, begin, end, scratch);
  for (uint32_t segment = rows.first_segment(); segment <= rows.last_segment(); ++segment) {
    rows.attend(segment, part);
    for (size_t r = 0; r < end - begin; ++r) merge(dim, part + r * stride, totals + r * stride);
  }
  kernels.attention_merge(args, kv_head, begin, end, 0, 0, totals, 0);
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t attention_tile_scratch_bytes(size_t head_dim) {
  return AttentionTileScratch::bytes(kv_stride(head_dim));
}

}  // namespace ingle::core
#endif
