#include "core/kernels/packed.h"

#include <cstring>

namespace ingle::core {
namespace {

constexpr uint32_t planes_bytes(uint32_t bits) {
  return bits * 64;
}  // of 32 columns: 32 * 16 * bits / 8

constexpr uint32_t tile_bytes(uint32_t bits, uint32_t columns, uint32_t group, bool has_min) {
  const uint32_t codes = columns == 256 ? columns / group * 16 * (has_min ? 2 : 1) : 0;
  return planes_bytes(bits) * (columns / 32) + codes + 32 * (has_min ? 2 : 1);
}

constexpr PackedLayout layout(uint32_t bits, uint32_t columns, uint32_t group, bool has_min, bool is_signed,
                              bool has_codebook, int32_t zero) {
  return {bits, columns, group, has_min, is_signed, has_codebook, zero, tile_bytes(bits, columns, group, has_min)};
}

// The order is that of the kernel tables in packed_*.cpp.
constexpr std::array<PackedLayout, kLayoutCount> kLayouts = {
    layout(4, 32, 32, false, false, false, 8),    // Q4_0
    layout(4, 32, 32, true, false, false, 0),     // Q4_1
    layout(5, 32, 32, false, false, false, 16),   // Q5_0
    layout(5, 32, 32, true, false, false, 0),     // Q5_1
    layout(8, 32, 32, false, true, false, 0),     // Q8_0
    layout(4, 32, 32, false, false, true, 0),     // IQ4_NL
    layout(4, 256, 32, true, false, false, 0),    // Q4_K
    layout(5, 256, 32, true, false, false, 0),    // Q5_K
    layout(4, 256, 32, false, false, true, 0),    // IQ4_XS
    layout(2, 256, 16, true, false, false, 0),    // Q2_K
    layout(3, 256, 16, false, false, false, 4),   // Q3_K
    layout(6, 256, 16, false, false, false, 32),  // Q6_K
};

// One quad of four rows: as a plane holds them.
using Lanes = uint32_t __attribute__((vector_size(16)));

// The four quads at `column` of four rows, quads[j] getting quad j of each.
void transpose(const BlockCodes* rows, size_t column, Lanes* quads) {
  Lanes row[4];
  for (size_t r = 0; r < 4; ++r) std::memcpy(&row[r], rows[r].q + column, sizeof row[r]);
  const Lanes left_01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Lanes left_23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Lanes right_01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Lanes right_23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  quads[0] = __builtin_shufflevector(left_01, left_23, 0, 1, 4, 5);
  quads[1] = __builtin_shufflevector(left_01, left_23, 2, 3, 6, 7);
  quads[2] = __builtin_shufflevector(right_01, right_23, 0, 1, 4, 5);
  quads[3] = __builtin_shufflevector(right_01, right_23, 2, 3, 6, 7);
}

// Writes `width` bits of every code, from bit `from` on, as planes of 8 / width quads each. Nibbles pair quad j with
// quad j + 4; narrower planes hold consecutive quads.
template <uint32_t width, uint32_t from>
void pack_planes(const Lanes (&quads)[8], uint8_t* out) {
  constexpr uint32_t mask = 0x01010101u * ((1u << width) - 1);
  constexpr size_t per_plane = 8 / width, planes = width;
  constexpr size_t plane_step = width == 4 ? 1 : per_plane;  // quads from one plane to the next, and ...
  constexpr size_t slot_step = width == 4 ? 4 : 1;           // ... from one quad of a plane to its next
  for (size_t plane = 0; plane < planes; ++plane) {
    Lanes lanes = {};
    for (size_t slot = 0; slot < per_plane; ++slot)
      lanes |= (quads[plane * plane_step + slot * slot_step] >> from & mask) << (slot * width);
    std::memcpy(out + plane * 64, &lanes, sizeof lanes);
  }
}

// All planes of a tile; `high` = 0: codes have no second part. Returns where they end.
template <uint32_t low, uint32_t high>
uint8_t* pack_codes(const BlockCodes* rows, size_t columns, uint8_t* out) {
  for (size_t column = 0; column < columns; column += 32) {
    for (size_t row = 0; row < kPanelRows; row += 4) {
      Lanes quads[8];
      transpose(rows + row, column, quads);
      transpose(rows + row, column + 16, quads + 4);
      pack_planes<low, 0>(quads, out + row * 4);
      if constexpr (high > 0) pack_planes<high, low>(quads, out + planes_bytes(low) + row * 4);
    }
    out += planes_bytes(low + high);
  }
  return out;
}

uint8_t* pack_codes(uint32_t bits, const BlockCodes* rows, size_t columns, uint8_t* out) {
  switch (bits) {
    case 2:
      return pack_codes<2, 0>(rows, columns, out);
    case 3:
      return pack_codes<2, 1>(rows, columns, out);
    case 4:
      return pack_codes<4, 0>(rows, columns, out);
    case 5:
      return pack_codes<4, 1>(rows, columns, out);
    case 6:
      return pack_codes<4, 2>(rows, columns, out);
    default:
      return pack_codes<8, 0>(rows, columns, out);
  }
}

}  // namespace

const std::array<PackedLayout, kLayoutCount>& packed_layouts() {
  return kLayouts;
}

const PackedLayout* find_layout(const CodeShape& shape) {
  for (const PackedLayout& candidate : kLayouts)
    if (candidate.serves(shape)) return &candidate;
  return nullptr;
}

void PackedLayout::pack(const BlockCodes* rows, std::byte* tile) const {
  uint8_t* out = pack_codes(bits, rows, columns, reinterpret_cast<uint8_t*>(tile));
  if (columns == 256) {
    for (size_t g = 0; g < columns / group; ++g)
      for (size_t row = 0; row < kPanelRows; ++row) *out++ = static_cast<uint8_t>(rows[row].scale[g]);
    for (size_t g = 0; has_min && g < columns / group; ++g)
      for (size_t row = 0; row < kPanelRows; ++row) *out++ = static_cast<uint8_t>(rows[row].min[g]);
  }
  for (size_t row = 0; row < kPanelRows; ++row, out += 2) std::memcpy(out, &rows[row].d, 2);
  for (size_t row = 0; has_min && row < kPanelRows; ++row, out += 2) std::memcpy(out, &rows[row].m, 2);
}

}  // namespace ingle::core
