// Reading keys from the cache (kv_cache.h), one position at a time.
#include <cstring>

#include "core/kernels/kv_cache.h"
#include "core/quants/half.h"

namespace ingle::core {
namespace {

constexpr size_t kPanel = 16;  // positions whose keys lie together

/// Of dimension `i` of the key `row` of a panel.
int code_of(KvFormat format, const std::byte* panel, size_t row, size_t i) {
  const size_t group = i / 32 * 32, in_group = i % 32;
  if (format == KvFormat::q8_0) return static_cast<int8_t>(panel[i / 4 * 4 * kPanel + 4 * row + i % 4]);
  const auto both = static_cast<uint8_t>(panel[group * kPanel / 2 + in_group / 4 % 4 * 64 + 4 * row + in_group % 4]);
  return (in_group >= 16 ? both >> 4 : both & 15) - 8;
}

}  // namespace

void read_key(const KvView& kv, uint32_t kv_head, uint32_t position, float* key) {
  const size_t at = position % kPagePositions, dim = kv_stride(kv.head_dim), row = at % kPanel;
  const KvHead head = kv.head(kv_head, position / kPagePositions);
  const size_t first = at / kPanel * kPanel * dim;  // of the panel, in values
  for (size_t i = 0; i < kv.head_dim; ++i) {
    const size_t place = first + i * kPanel + row;
    if (kv.format == KvFormat::f32) {
      key[i] = reinterpret_cast<const float*>(head.keys)[place];
    } else if (kv.format == KvFormat::f16) {
      key[i] = f16_to_f32(reinterpret_cast<const uint16_t*>(head.keys)[place]);
    } else {
      const std::byte* panel = head.keys + (kv.format == KvFormat::q8_0 ? first : first / 2);
      const uint16_t scale = head.key_scales[(at / kPanel * (dim / 32) + i / 32) * kPanel + row];
      key[i] = f16_to_f32(scale) * static_cast<float>(code_of(kv.format, panel, row, i)) +
               f16_to_f32(head.shares[at]) * f16_to_f32(head.common[i]);
    }
  }
}

}  // namespace ingle::core
