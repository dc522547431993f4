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

// Writes `width` bits of every code, from bit `from` on, as planes of 8 / width quads each. Nibbles pair quad j with
// quad j + 4; narrower planes hold consecutive quads.
template <uint32_t width>
void pack_planes(const BlockCodes* rows, size_t first_column, uint32_t from, uint8_t* out) {
  constexpr uint32_t mask = (1u << width) - 1;
  constexpr size_t per_plane = 8 / width, planes = width;
  constexpr size_t plane_step = width == 4 ? 4 : per_plane * 4;  // columns from one plane to the next, and ...
  constexpr size_t slot_step = width == 4 ? 16 : 4;              // ... from one quad of a plane to its next
  for (size_t row = 0; row < kPanelRows; ++row) {
    const uint8_t* q = rows[row].q + first_column;
    for (size_t plane = 0; plane < planes; ++plane)
      for (size_t k = 0; k < 4; ++k) {
        uint32_t byte = 0;
        for (size_t slot = 0; slot < per_plane; ++slot)
          byte |= (q[plane * plane_step + slot * slot_step + k] >> from & mask) << (slot * width);
        out[plane * 64 + row * 4 + k] = static_cast<uint8_t>(byte);
      }
  }
}

void pack_planes(const BlockCodes* rows, size_t first_column, uint32_t from, uint32_t width, uint8_t* out) {
  switch (width) {
    case 1:
      return pack_planes<1>(rows, first_column, from, out);
    case 2:
      return pack_planes<2>(rows, first_column, from, out);
    case 4:
      return pack_planes<4>(rows, first_column, from, out);
    default:
      return pack_planes<8>(rows, first_column, from, out);
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
  auto* out = reinterpret_cast<uint8_t*>(tile);
  const uint32_t low = bits == 3 ? 2 : bits == 5 || bits == 6 ? 4 : bits;
  for (size_t column = 0; column < columns; column += 32) {
    pack_planes(rows, column, 0, low, out);
    out += planes_bytes(low);
    if (bits > low) {
      pack_planes(rows, column, low, bits - low, out);
      out += planes_bytes(bits - low);
    }
  }
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
