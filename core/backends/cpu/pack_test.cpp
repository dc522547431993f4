// Panels byte by byte: arbitrary blocks of every format against the description in core/kernels/packed.h, with the
// formats' fields read as ggml's own decoders (ggml-quants.c) read them.
#include "core/backends/cpu/pack.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace ingle::core {
namespace {

using Field = uint32_t (*)(const uint8_t* b, size_t i);

uint32_t nothing(const uint8_t*, size_t) {
  return 0;
}
uint32_t sign_off(uint32_t value, uint32_t bias) {  // value - bias, as a byte
  return (value - bias) & 255;
}

// The 6-bit scales and mins of Q4_K and Q5_K: get_scale_min_k4.
uint32_t scale_k4(const uint8_t* b, size_t g) {
  return g < 4 ? b[4 + g] & 63 : (b[4 + g + 4] & 15) | (b[4 + g - 4] >> 6) << 4;
}
uint32_t min_k4(const uint8_t* b, size_t g) {
  return g < 4 ? b[4 + g + 4] & 63 : b[4 + g + 4] >> 4 | (b[4 + g] >> 6) << 4;
}

// What a block holds: code of element e, scale and min of group g, and where d and, if there is one, m are.
struct Fields {
  std::string_view name;
  Field code, scale, min;
  size_t d_at, m_at;
  uint32_t m_sign;  ///< the formats that add m have it stored with the other sign
};

const Fields kFormats[] = {
    {"Q4_0", [](auto b, auto e) -> uint32_t { return e < 16 ? b[2 + e] & 15 : b[2 + e - 16] >> 4; }, nothing, nothing,
     0, 0, 0},
    {"IQ4_NL", [](auto b, auto e) -> uint32_t { return e < 16 ? b[2 + e] & 15 : b[2 + e - 16] >> 4; }, nothing, nothing,
     0, 0, 0},
    {"Q4_1", [](auto b, auto e) -> uint32_t { return e < 16 ? b[4 + e] & 15 : b[4 + e - 16] >> 4; }, nothing, nothing,
     0, 2, 0x8000},
    {"Q5_0",
     [](auto b, auto e) -> uint32_t {
       return (e < 16 ? b[6 + e] & 15 : b[6 + e - 16] >> 4) | (b[2 + e / 8] >> e % 8 & 1) << 4;
     },
     nothing, nothing, 0, 0, 0},
    {"Q5_1",
     [](auto b, auto e) -> uint32_t {
       return (e < 16 ? b[8 + e] & 15 : b[8 + e - 16] >> 4) | (b[4 + e / 8] >> e % 8 & 1) << 4;
     },
     nothing, nothing, 0, 2, 0x8000},
    {"Q8_0", [](auto b, auto e) -> uint32_t { return b[2 + e]; }, nothing, nothing, 0, 0, 0},
    {"Q4_K", [](auto b, auto e) -> uint32_t { return b[16 + e / 64 * 32 + e % 32] >> (e / 32 % 2 * 4) & 15; }, scale_k4,
     min_k4, 0, 2, 0},
    {"Q5_K",
     [](auto b, auto e) -> uint32_t {
       return (b[48 + e / 64 * 32 + e % 32] >> (e / 32 % 2 * 4) & 15) | (b[16 + e % 32] >> (e / 32) & 1) << 4;
     },
     scale_k4, min_k4, 0, 2, 0},
    {"IQ4_XS", [](auto b, auto e) -> uint32_t { return b[8 + e / 32 * 16 + e % 16] >> (e / 16 % 2 * 4) & 15; },
     [](auto b, auto g) -> uint32_t {
       const uint32_t high = (b[2] | b[3] << 8) >> (2 * g) & 3;
       return sign_off((b[4 + g / 2] >> (g % 2 * 4) & 15) | high << 4, 32);
     },
     nothing, 0, 0, 0},
    {"Q2_K", [](auto b, auto e) -> uint32_t { return b[16 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3; },
     [](auto b, auto g) -> uint32_t { return b[g] & 15; }, [](auto b, auto g) -> uint32_t { return b[g] >> 4; }, 80, 82,
     0},
    {"Q3_K",
     [](auto b, auto e) -> uint32_t {
       return (b[32 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3) | (b[e % 32] >> (e / 32) & 1) << 2;
     },
     [](auto b, auto g) -> uint32_t {
       return sign_off((b[96 + g % 8] >> (g / 8 * 4) & 15) | (b[104 + g % 4] >> (g / 4 * 2) & 3) << 4, 32);
     },
     nothing, 108, 0, 0},
    {"Q6_K",
     [](auto b, auto e) -> uint32_t {
       return (b[e / 128 * 64 + e % 64] >> (e / 64 % 2 * 4) & 15) |
              (b[128 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3) << 4;
     },
     [](auto b, auto g) -> uint32_t { return b[192 + g]; }, nothing, 208, 0, 0},
};

const Fields* find_fields(const QuantFormat& format) {
  for (const Fields& fields : kFormats)
    if (fields.name == format.name) return &fields;
  return nullptr;
}

/// Sixteen blocks, of which null stands for a row that the matrix lacks.
using Blocks = std::vector<const uint8_t*>;

// `width` bits, from bit `from` on, of the codes of 32 columns as planes.
void append_planes(const Fields& fields, const Blocks& rows, size_t column, uint32_t from, uint32_t width,
                   std::vector<uint8_t>& out) {
  std::vector<uint8_t> planes(width * 64);
  for (size_t row = 0; row < 16; ++row)
    for (size_t k = 0; k < 32; ++k) {
      if (rows[row] == nullptr) continue;
      const size_t quad = k / 4;
      size_t plane = quad, shift = 0;  // 8 bits: eight planes
      if (width == 4) plane = quad % 4, shift = quad / 4 * 4;
      if (width == 2) plane = quad / 4, shift = quad % 4 * 2;
      if (width == 1) plane = 0, shift = quad;
      const uint32_t bits = fields.code(rows[row], column + k) >> from & ((1u << width) - 1);
      planes[plane * 64 + 4 * row + k % 4] |= static_cast<uint8_t>(bits << shift);
    }
  out.insert(out.end(), planes.begin(), planes.end());
}

void append_bytes(Field field, const Blocks& rows, size_t groups, std::vector<uint8_t>& out) {
  for (size_t g = 0; g < groups; ++g)
    for (const uint8_t* row : rows) out.push_back(row == nullptr ? 0 : static_cast<uint8_t>(field(row, g)));
}

void append_halves(const Blocks& rows, size_t at, uint32_t sign, std::vector<uint8_t>& out) {
  for (const uint8_t* row : rows) {
    out.push_back(row == nullptr ? 0 : row[at]);
    out.push_back(row == nullptr ? 0 : static_cast<uint8_t>(row[at + 1] ^ sign >> 8));
  }
}

std::vector<uint8_t> expected_tile(const CodeShape& shape, const Fields& fields, const Blocks& rows) {
  std::vector<uint8_t> out;
  const uint32_t low = shape.bits == 3 ? 2 : shape.bits == 5 || shape.bits == 6 ? 4 : shape.bits;
  for (size_t column = 0; column < shape.columns; column += 32) {
    append_planes(fields, rows, column, 0, low, out);
    if (shape.bits > low) append_planes(fields, rows, column, low, shape.bits - low, out);
  }
  if (shape.columns == 256) append_bytes(fields.scale, rows, 256 / shape.group, out);
  if (shape.columns == 256 && shape.has_min) append_bytes(fields.min, rows, 256 / shape.group, out);
  append_halves(rows, fields.d_at, 0, out);
  if (shape.has_min) append_halves(rows, fields.m_at, fields.m_sign, out);
  return out;
}

// A matrix of arbitrary bytes, at an odd address, whose last panel is not full, packed panel by panel.
struct Packed {
  static constexpr uint32_t kRows = 37, kColumns = 768, kPanels = 3;
  explicit Packed(const QuantFormat& format) : row_bytes(format.bytes(kColumns)), bytes(1 + kRows * row_bytes) {
    std::mt19937 random(format.gguf_id);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const MatrixSource source{"w", &format, bytes.data() + 1, kRows, kColumns};
    matrix = plan_packed(source);
    storage.assign(packed_bytes(matrix), std::byte{0xa5});
    matrix.data = storage.data();
    for (size_t panel = kPanels; panel-- > 0;) pack_panels(source, matrix, panel, panel + 1);
  }
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;

  /// `offset` bytes into a row, null past the last.
  const uint8_t* at(size_t row, size_t offset) const {
    return row < kRows ? reinterpret_cast<const uint8_t*>(bytes.data()) + 1 + row * row_bytes + offset : nullptr;
  }
  const uint8_t* panel(size_t index) const {
    return reinterpret_cast<const uint8_t*>(storage.data()) + index * matrix.panel_bytes;
  }

  size_t row_bytes;
  std::vector<std::byte> bytes, storage;
  PackedMatrix matrix;
};

TEST(Pack, QuantizedPanelsAreAsDescribed) {
  for (const QuantFormat* format : all_quants()) {
    if (format->codes.bits == 0) continue;
    const Fields* fields = find_fields(*format);
    ASSERT_NE(fields, nullptr) << "describe the fields of " << format->name << " above";
    const Packed packed(*format);
    for (size_t p = 0; p < Packed::kPanels; ++p) {
      std::vector<uint8_t> expected;
      for (size_t offset = 0; offset < packed.row_bytes; offset += format->block_bytes) {
        Blocks rows;
        for (size_t r = 0; r < 16; ++r) rows.push_back(packed.at(p * 16 + r, offset));
        const std::vector<uint8_t> tile = expected_tile(format->codes, *fields, rows);
        expected.insert(expected.end(), tile.begin(), tile.end());
      }
      ASSERT_EQ(expected.size(), packed.matrix.panel_bytes) << format->name;
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(packed.panel(p)[i], expected[i]) << format->name << " panel " << p << " byte " << i;
    }
  }
}

TEST(Pack, FloatPanelsHoldColumnsOfSixteen) {
  for (const QuantFormat* format : all_quants()) {
    if (format->block_elements != 1) continue;
    const size_t size = format->block_bytes;
    const Packed packed(*format);
    for (size_t p = 0; p < Packed::kPanels; ++p)
      for (size_t i = 0; i < packed.matrix.panel_bytes; ++i) {
        const uint8_t* value = packed.at(p * 16 + i / size % 16, i / size / 16 * size);
        ASSERT_EQ(packed.panel(p)[i], value == nullptr ? 0 : value[i % size]) << format->name << " byte " << i;
      }
  }
}

}  // namespace
}  // namespace ingle::core
