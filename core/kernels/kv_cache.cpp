// Writing keys and values into the cache (kv_cache.h), one position at a time.
#include "core/kernels/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "core/kernels/kernels.h"
#include "core/quants/half.h"

#define INGLE_SIMD_FILE "core/kernels/kv_cache.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {

void quantize_row(const float* x, size_t columns, ActivationGroup* out);

namespace {

// 32 values of a head, of which `count` are there.
struct Group {
  alignas(64) float x[kGroup] = {};
  Group(const float* from, size_t count) { std::memcpy(x, from, count * sizeof(float)); }
  void store_f16(uint16_t* out) const {
    F32::load(x).store_f16(out);
    F32::load(x + 16).store_f16(out + 16);
  }
  void subtract(const uint16_t* common, uint16_t share) {
    const F32 factor = F32::set1(f16_to_f32(share));
    for (size_t i = 0; i < kGroup; i += 16) (F32::load(x + i) - F32::load_f16(common + i) * factor).store(x + i);
  }
};

struct GroupCodes {
  int8_t q[kGroup];
  uint16_t scale;
};

uint16_t to_f16(float x) {
  uint16_t halves[16];
  F32::set1(x).store_f16(halves);
  return halves[0];
}

GroupCodes eight_bits(const Group& group) {
  ActivationGroup quantized;
  quantize_row(group.x, kGroup, &quantized);
  GroupCodes codes;
  std::memcpy(codes.q, quantized.q, kGroup);
  codes.scale = to_f16(quantized.d);
  return codes;
}

// The same sum on every instruction set, whose reduce_add() add up in different orders.
float sum_of(F32 lanes) {
  lanes = lanes + lanes.template swap<8>();
  lanes = lanes + lanes.template swap<4>();
  lanes = lanes + lanes.template swap<2>();
  float sums[16];
  lanes.store(sums);
  return sums[0] + sums[1];
}

// What a key is projected on the common direction, over that: 0 where there is none.
uint16_t share_of(const float* key, const uint16_t* common, size_t head_dim) {
  F32 product = F32::zero(), square = F32::zero();
  for (size_t i = 0; i < head_dim; i += 16) {
    const F32 c = F32::load_f16(common + i);
    product = product + F32::load_n(key + i, std::min<size_t>(16, head_dim - i)) * c;
    square = square + c * c;
  }
  const float length = sum_of(square);
  return f32_to_f16(length > 1e-20f ? sum_of(product) / length : 0.0f);
}

// The value furthest from zero becomes -8.
GroupCodes four_bits(const Group& group) {
  const F32 a = F32::load(group.x), b = F32::load(group.x + 16), zero = F32::zero();
  const float highest = F32::max(a, b).reduce_max(), lowest = -F32::max(zero - a, zero - b).reduce_max();
  const float scale = (highest > -lowest ? highest : lowest) / -8.0f;
  const F32 inverse = F32::set1(std::abs(scale) > 1e-37f ? 1.0f / scale : 0.0f), most = F32::set1(7.0f);
  GroupCodes codes;
  F32::min(a * inverse, most).store_i8(codes.q);
  F32::min(b * inverse, most).store_i8(codes.q + 16);
  codes.scale = to_f16(scale);
  return codes;
}

void set_nibble(std::byte& byte, int8_t code, bool high) {
  const auto bits = static_cast<uint8_t>(code + 8);
  const auto old = static_cast<uint8_t>(byte);
  byte = static_cast<std::byte>(high ? (old & 15) | bits << 4 : (old & 240) | bits);
}

// One position's codes of dimensions [32 * group, 32 * group + 32) to where kv_cache.h says.
void store_key_codes(const KvHead& head, bool four, size_t dim, size_t group, size_t at, const GroupCodes& codes) {
  const size_t panel = at / 16, row = at % 16;
  std::byte* quads = head.keys + (panel * dim + group * kGroup) * 16 / (four ? 2 : 1) + 4 * row;
  if (four)
    for (size_t i = 0; i < kGroup; ++i) set_nibble(quads[i / 4 % 4 * 64 + i % 4], codes.q[i], i >= 16);
  else
    for (size_t i = 0; i < kGroup; i += 4) std::memcpy(quads + i * 16, codes.q + i, 4);
  head.key_scales[(panel * (dim / kGroup) + group) * 16 + row] = codes.scale;
}

void store_value_codes(const KvHead& head, bool four, size_t dim, size_t group, size_t at, const GroupCodes& codes) {
  std::byte* quads = head.values + (at / 4 * dim + group * kGroup) * 4 / (four ? 2 : 1) + at % 4;
  for (size_t i = 0; i < kGroup; ++i) {
    if (four)
      set_nibble(quads[i % 16 * 4], codes.q[i], i >= 16);
    else
      quads[i * 4] = static_cast<std::byte>(codes.q[i]);
  }
  head.value_scales[group * kPagePositions + at] = codes.scale;
}

void store_floats(const KvView& kv, const KvHead& head, size_t at, const float* key, const float* value) {
  const size_t dim = kv_stride(kv.head_dim), key_base = at / 16 * 16 * dim + at % 16, value_base = at * dim;
  for (size_t i = 0; i < kv.head_dim; i += 16) {
    const size_t n = std::min<size_t>(16, kv.head_dim - i);
    const F32 k = F32::load_n(key + i, n), v = F32::load_n(value + i, n);
    if (kv.format == KvFormat::f16) {
      uint16_t halves[16];
      k.store_f16(halves);
      for (size_t j = 0; j < n; ++j) reinterpret_cast<uint16_t*>(head.keys)[key_base + (i + j) * 16] = halves[j];
      v.store_f16(reinterpret_cast<uint16_t*>(head.values) + value_base + i);
    } else {
      for (size_t j = 0; j < n; ++j) reinterpret_cast<float*>(head.keys)[key_base + (i + j) * 16] = key[i + j];
      v.store(reinterpret_cast<float*>(head.values) + value_base + i);
    }
  }
}

}  // namespace

void store_kv(const KvView& kv, uint32_t kv_head, uint32_t position, const float* key, const float* value,
              const float* first_key) {
  const size_t at = position % kPagePositions, dim = kv_stride(kv.head_dim);
  const KvHead head = kv.head(kv_head, position / kPagePositions);
  if (!has_codes(kv.format)) return store_floats(kv, head, at, key, value);
  uint16_t common[kMaxHeadDim];
  if (first_key != nullptr) {
    for (size_t begin = 0; begin < dim; begin += kGroup)
      Group(first_key + begin, std::min(kGroup, kv.head_dim - begin)).store_f16(common + begin);
  } else {
    std::memcpy(common, head.common, dim * sizeof(uint16_t));
  }
  if (at == 0) std::memcpy(head.common, common, dim * sizeof(uint16_t));
  const uint16_t share = share_of(key, common, kv.head_dim);
  head.shares[at] = share;
  const bool four = kv.format == KvFormat::q4_0;
  for (size_t group = 0; group < dim / kGroup; ++group) {
    const size_t begin = group * kGroup, count = std::min<size_t>(kGroup, kv.head_dim - begin);
    Group k(key + begin, count);
    k.subtract(common + begin, share);
    const Group v(value + begin, count);
    store_key_codes(head, four, dim, group, at, four ? four_bits(k) : eight_bits(k));
    store_value_codes(head, four, dim, group, at, four ? four_bits(v) : eight_bits(v));
  }
}

}  // namespace ingle::core::INGLE_ISA
#endif
