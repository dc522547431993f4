// Random weights, quickly. Encoding billions of numbers in a k-quant takes minutes of search, so each kind of matrix
// (format, length of a row) gets a pool of encoded pieces, and its rows are drawn from the pool piece by piece. What a
// row holds depends on the seed, the tensor and the row alone.
//
// Values are normal with a standard deviation of 1 / sqrt(columns), so that products keep the size of what they
// multiply: a forward pass stays finite, and its logits have a deviation of about 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/quants/quant.h"
#include "core/sampling/random.h"

namespace ingle::core {

/// Independent random numbers for each pair of (a, b) and seed.
Random random_stream(uint64_t seed, uint64_t a, uint64_t b);

/// Near-normal with mean 0 and deviation 1: the sum of eight uniform 16-bit numbers (Irwin and Hall), so that its bits
/// are the same on every machine. At most 4.9 from zero.
double near_normal(Random& random);

class WeightPool {
 public:
  WeightPool(const QuantFormat& format, uint64_t columns, uint64_t seed);

  bool serves(const QuantFormat& format, uint64_t columns) const { return &format == format_ && columns == columns_; }
  uint64_t row_bytes() const { return format_->bytes(columns_); }
  /// Fills one row of row_bytes() bytes.
  void draw_row(Random random, std::span<std::byte> row) const;

 private:
  const QuantFormat* format_;
  uint64_t columns_;
  size_t piece_bytes_;
  std::vector<std::byte> pieces_;
};

}  // namespace ingle::core
