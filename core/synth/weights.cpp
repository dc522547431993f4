#include "core/synth/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ingle::core {
namespace {

/// Different numbers in a pool. More take longer to encode and say no more about speed.
constexpr size_t kPoolElements = size_t{1} << 18;

/// The length of the pieces that rows consist of: long ones copy faster.
size_t piece_elements(const QuantFormat& format, uint64_t columns) {
  for (const size_t length : {size_t{256}, size_t{32}})
    if (columns % length == 0 && length % format.block_elements == 0) return length;
  return format.block_elements;
}

}  // namespace

Random random_stream(uint64_t seed, uint64_t a, uint64_t b) {
  const uint64_t first = Random(seed).next() ^ a;
  return Random(Random(first).next() ^ b);
}

double near_normal(Random& random) {
  int64_t sum = 0;
  for (int half = 0; half < 2; ++half) {
    const uint64_t bits = random.next();
    for (int shift = 0; shift < 64; shift += 16) sum += static_cast<int64_t>(bits >> shift & 0xffff);
  }
  constexpr double mean = 8 * 65535.0 / 2;
  constexpr double deviation = 53510.0;  // sqrt(8 (65536^2 - 1) / 12), nearly
  return (static_cast<double>(sum) - mean) / deviation;
}

WeightPool::WeightPool(const QuantFormat& format, uint64_t columns, uint64_t seed)
    : format_(&format), columns_(columns) {
  const size_t elements = piece_elements(format, columns);
  piece_bytes_ = format.bytes(elements);
  const double deviation = 1.0 / std::sqrt(static_cast<double>(columns));
  Random random = random_stream(seed, format.gguf_id, columns);
  std::vector<float> values(kPoolElements);
  for (float& value : values) value = static_cast<float>(deviation * near_normal(random));
  pieces_.resize(kPoolElements / elements * piece_bytes_);
  format.encode(values.data(), pieces_.data(), kPoolElements / format.block_elements);
}

void WeightPool::draw_row(Random random, std::span<std::byte> row) const {
  const uint64_t pieces = pieces_.size() / piece_bytes_;
  for (; !row.empty(); row = row.subspan(piece_bytes_)) {
    const uint64_t piece = (random.next() >> 32) * pieces >> 32;
    std::memcpy(row.data(), pieces_.data() + piece * piece_bytes_, piece_bytes_);
  }
}

}  // namespace ingle::core
