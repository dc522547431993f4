// A page of keys and values as floats of 32 or 16 bits. Included by attention.cpp inside an instruction set's region;
// no include guard on purpose.

template <bool f16>
struct FloatPage {
  static constexpr bool kHasShares = false;
  const void *keys, *values;
  size_t head_dim, dim;  ///< without and with padding
  size_t count;          ///< positions that some row sees

  static F32 load(const void* base, size_t index) {
    if constexpr (f16)
      return F32::load_f16(static_cast<const uint16_t*>(base) + index);
    else
      return F32::load(static_cast<const float*>(base) + index);
  }

  // What lies behind `count` in the last block is read, and masked.
  template <int R>
  void score(const RowState* rows, AttentionScratch& scratch) const {
    for (size_t k = 0; k < count; k += 16 * kKeyBlocks) score_blocks<R>(rows, k, scratch.scores[0] + k);
  }

  template <int R>
  void score_blocks(const RowState* rows, size_t first, float* scores) const {
    F32 acc[kKeyBlocks][R];
    for (auto& of_block : acc)
      for (F32& sum : of_block) sum = F32::zero();
    for (size_t i = 0; i < head_dim; ++i) {
      F32 k[kKeyBlocks];
      for (int b = 0; b < kKeyBlocks; ++b) k[b] = load(keys, (first + 16 * static_cast<size_t>(b)) * dim + i * 16);
      for (int r = 0; r < R; ++r) {
        const F32 q = F32::set1(rows[r].q[i]);
        for (int b = 0; b < kKeyBlocks; ++b) acc[b][r] = acc[b][r].fma(k[b], q);
      }
    }
    for (int b = 0; b < kKeyBlocks; ++b)
      for (int r = 0; r < R; ++r) acc[b][r].store(scores + r * kPagePositions + 16 * b);
  }

  // Two vectors of dimensions at a time.
  template <int R>
  void add_values(RowState* rows, uint32_t, AttentionScratch& scratch) const {
    for (size_t i = 0; i < dim; i += 32) {
      F32 low[R], high[R];
      for (int r = 0; r < R; ++r) {
        low[r] = F32::load(rows[r].out + i) * F32::load(rows[r].factor);
        high[r] = F32::load(rows[r].out + i + 16) * F32::load(rows[r].factor);
      }
      for (size_t k = 0; k < count; ++k) {
        const F32 v = load(values, k * dim + i), w = load(values, k * dim + i + 16);
        for (int r = 0; r < R; ++r) {
          const F32 weight = F32::set1(scratch.scores[r][k]);
          low[r] = low[r].fma(weight, v);
          high[r] = high[r].fma(weight, w);
        }
      }
      for (int r = 0; r < R; ++r) {
        low[r].store(rows[r].out + i);
        high[r].store(rows[r].out + i + 16);
      }
    }
  }
};
