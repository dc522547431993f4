// A page of keys and values as codes with scales. Included by attention.cpp inside an instruction set's region; no
// include guard on purpose.

class CodePage {
 public:
  static constexpr bool kHasShares = true;

  CodePage(KvFormat format, const KvHead& head, size_t dim, size_t count, AttentionScratch& scratch)
      : keys_(reinterpret_cast<const uint8_t*>(head.keys)),
        values_(reinterpret_cast<const uint8_t*>(head.values)),
        key_scales_(head.key_scales),
        value_scales_(head.value_scales),
        dim_(dim),
        count_(count) {
    if (format == KvFormat::q4_0) {
      const size_t planes = kPagePositions * dim / 128;
      expand_codes(head.keys, planes, 4, scratch.key_codes);
      expand_codes(head.values, planes, 1, scratch.value_codes);
      keys_ = scratch.key_codes;
      values_ = scratch.value_codes;
    }
    for (size_t group = 0; group < dim / kGroup; ++group) scale_values(group, scratch);
    for (size_t i = 0; i < dim; i += 16) F32::load_f16(head.common + i).store(scratch.common + i);
    for (size_t k = 0; k < kPagePositions; k += 16) F32::load_f16(head.shares + k).store(scratch.shares + k);
  }

  // What lies behind `count` in the last block is read, and masked.
  template <int R>
  void score(const RowState* rows, AttentionScratch& scratch) const {
    for (size_t k = 0; k < count_; k += 16 * kKeyBlocks) score_blocks<R>(rows, k, scratch.scores[0] + k, scratch.ahead);
    F32 common[R];
    for (F32& sum : common) sum = F32::zero();
    for (size_t i = 0; i < dim_; i += 16)
      for (int r = 0; r < R; ++r) common[r] = common[r].fma(F32::load(scratch.common + i), F32::load(rows[r].q + i));
    for (int r = 0; r < R; ++r) scratch.offsets[r] = common[r].reduce_add();
  }

  template <int R>
  void add_values(RowState* rows, uint32_t page_start, AttentionScratch& scratch) const {
    for (size_t group = 0; group < dim_ / kGroup; ++group) {
      for (int r = 0; r < R; ++r) weigh(rows[r], page_start, group, r, scratch);
      add_group<R>(rows, group, scratch);
    }
  }

 private:
  // A page's value scales in units of what makes the largest of them 32767.
  void scale_values(size_t group, AttentionScratch& scratch) const {
    F32 scales[kPageVectors], largest = F32::zero();
    for (size_t k = 0; k < kPageVectors; ++k) {
      scales[k] = F32::load_f16(value_scales_ + group * kPagePositions + 16 * k);
      largest = F32::max(largest, scales[k].abs());
    }
    const float most = largest.reduce_max();
    const F32 units = F32::set1(most > 0.0f ? 32767.0f / most : 0.0f);
    for (size_t k = 0; k < kPageVectors; ++k) (scales[k] * units).store(scratch.value_scales[group] + 16 * k);
    scratch.value_steps[group] = most / 32767.0f;
  }

  template <int R>
  void score_blocks(const RowState* rows, size_t first, float* scores, Ahead& ahead) const {
    F32 acc[kKeyBlocks][R];
    for (auto& of_block : acc)
      for (F32& sum : of_block) sum = F32::zero();
    const size_t groups = dim_ / kGroup;
    for (size_t group = 0; group < groups; ++group) {
      ahead.ask(8 * kKeyBlocks);  // together with what sums of values ask for, all of the next page
      I32 sums[kKeyBlocks][R];
      for (int r = 0; r < R; ++r)
        for (int b = 0; b < kKeyBlocks; ++b)
          sums[b][r] = I32::sum_from(-Quad::signed_zero * rows[r].codes[group].template code_sum<1>(0));
      for (size_t j = 0; j < 8; ++j) {
        Quad k[kKeyBlocks];
        for (int b = 0; b < kKeyBlocks; ++b)
          k[b] =
              Quad::load(keys_ + (first + 16 * static_cast<size_t>(b)) * dim_ + (group * 8 + j) * 64).prepare_signed();
        for (int r = 0; r < R; ++r)
          for (int b = 0; b < kKeyBlocks; ++b) sums[b][r] = sums[b][r].dot_signed(k[b], rows[r].codes[group].q + 4 * j);
      }
      for (int b = 0; b < kKeyBlocks; ++b) {
        const F32 scale = F32::load_f16(key_scales_ + ((first / 16 + static_cast<size_t>(b)) * groups + group) * 16);
        for (int r = 0; r < R; ++r)
          acc[b][r] = acc[b][r].fma(F32::from(sums[b][r]), scale * F32::set1(rows[r].codes[group].d));
      }
    }
    for (int b = 0; b < kKeyBlocks; ++b)
      for (int r = 0; r < R; ++r) acc[b][r].store(scores + r * kPagePositions + 16 * b);
  }

  // A row's weights of this page and group of dimensions as integers. Where it sees all of the page, in the page's
  // units; else in its own, since what others see must not make a difference.
  void weigh(const RowState& row, uint32_t page_start, size_t group, int r, AttentionScratch& scratch) const {
    F32 weights[kPageVectors];
    for (size_t k = 0; k < kPageVectors; ++k)
      weights[k] = F32::load(scratch.scores[r] + 16 * k) * F32::load(scratch.value_scales[group] + 16 * k);
    float step = scratch.value_steps[group];
    if (row.first > page_start || page_start + kPagePositions - 1 > row.last) {
      const float highest = own_units(scratch.scores[r], group, weights);
      step = highest / 32767.0f;
    }
    for (size_t k = 0; k < kPageVectors; ++k) weights[k].store_i16_swapped(scratch.weights[group][r] + 16 * k);
    scratch.weight_steps[group][r] = step;
  }

  // The weights in units of what makes the largest 32767; returns that one.
  float own_units(const float* scores, size_t group, F32* weights) const {
    F32 largest = F32::zero();
    for (size_t k = 0; k < kPageVectors; ++k) {
      weights[k] = F32::load(scores + 16 * k) * F32::load_f16(value_scales_ + group * kPagePositions + 16 * k);
      largest = F32::max(largest, weights[k].abs());
    }
    const float highest = largest.reduce_max();
    const F32 units = F32::set1(highest > 1e-30f ? 32767.0f / highest : 0.0f);
    for (size_t k = 0; k < kPageVectors; ++k) weights[k] = weights[k] * units;
    return highest;
  }

  // rows' out += weights . values of 32 dimensions.
  template <int R>
  void add_group(RowState* rows, size_t group, AttentionScratch& scratch) const {
    for (size_t half = 0; half < 2; half += kValueBlocks) {
      I32 sums[kValueBlocks][R];
      for (auto& of_block : sums)
        for (I32& sum : of_block) sum = I32::zero();
      for (size_t k = 0; k < count_; k += 4) {
        scratch.ahead.ask(kValueBlocks == 2 ? 3 : 2);
        Pairs even[kValueBlocks], odd[kValueBlocks];
        for (size_t b = 0; b < kValueBlocks; ++b) {
          const Quad quad = Quad::load(values_ + k * dim_ + group * kGroup * 4 + (half + b) * 64);
          even[b] = quad.template pairs<0>();
          odd[b] = quad.template pairs<1>();
        }
        for (int r = 0; r < R; ++r) {
          const int16_t* weights = scratch.weights[group][r] + k;
          for (size_t b = 0; b < kValueBlocks; ++b)
            sums[b][r] = sums[b][r].dot_pairs(even[b], weights).dot_pairs(odd[b], weights + 2);
        }
      }
      for (int r = 0; r < R; ++r) {
        const F32 factor = F32::load(rows[r].factor), step = F32::set1(scratch.weight_steps[group][r]);
        for (size_t b = 0; b < kValueBlocks; ++b) {
          float* out = rows[r].out + group * kGroup + (half + b) * 16;
          (F32::load(out) * factor).fma(F32::convert(sums[b][r]), step).store(out);
        }
      }
    }
  }

  const uint8_t *keys_, *values_;
  const uint16_t *key_scales_, *value_scales_;
  size_t dim_, count_;
};
