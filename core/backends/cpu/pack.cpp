#include "core/backends/cpu/pack.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace ingle::core {
namespace {

std::optional<FloatType> float_type_of(const QuantFormat& format) {
  if (format.name == "F32") return FloatType::f32;
  if (format.name == "F16") return FloatType::f16;
  if (format.name == "BF16") return FloatType::bf16;
  return std::nullopt;
}

size_t round_up(size_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Asks for what is read a little later: sixteen rows at once are more streams than processors follow by themselves.
void prefetch(const std::byte* column, size_t row_bytes, size_t count, size_t block_bytes) {
  constexpr size_t kAhead = 512, kLine = 64;
  for (size_t r = 0; r < count; ++r)
    for (size_t line = 0; line < block_bytes; line += kLine) __builtin_prefetch(column + r * row_bytes + kAhead + line);
}

// `count` rows of a panel from `rows` on, each of them after the other.
void pack_quantized(const MatrixSource& source, const PackedLayout& layout, const std::byte* rows, size_t count,
                    std::byte* out) {
  const QuantFormat& format = *source.format;
  const size_t row_bytes = format.bytes(source.columns);
  BlockCodes codes[kPanelRows] = {};  // those that the last panel lacks stay zero
  for (size_t at = 0; at < row_bytes; at += format.block_bytes, out += layout.tile_bytes) {
    const std::byte* column = rows + at;
    prefetch(column, row_bytes, count, format.block_bytes);
    format.take_apart(column, row_bytes, count, codes);
    layout.pack(codes, out);
  }
}

// Column by column, so that what is written is contiguous.
template <size_t size>
void interleave(const std::byte* rows, size_t columns, size_t count, std::byte* out) {
  for (size_t k = 0; k < columns; ++k, out += kPanelRows * size)
    for (size_t r = 0; r < count; ++r) std::memcpy(out + r * size, rows + (r * columns + k) * size, size);
}

void pack_floats(const MatrixSource& source, const std::byte* rows, size_t count, std::byte* out) {
  const size_t size = source.format->block_bytes;
  if (count < kPanelRows) std::memset(out, 0, source.columns * kPanelRows * size);
  if (size == 4)
    interleave<4>(rows, source.columns, count, out);
  else
    interleave<2>(rows, source.columns, count, out);
}

void pack_blocks(const MatrixSource& source, const std::byte* rows, size_t count, std::byte* out) {
  const size_t row_bytes = source.format->bytes(source.columns);
  std::memcpy(out, rows, count * row_bytes);
  std::memset(out + count * row_bytes, 0, (kPanelRows - count) * row_bytes);
}

}  // namespace

PackedMatrix plan_packed(const MatrixSource& source) {
  PackedMatrix matrix;
  matrix.rows = source.rows;
  matrix.columns = source.columns;
  const QuantFormat& format = *source.format;
  if (const auto type = float_type_of(format)) {
    matrix.storage = PackedMatrix::Storage::floats;
    matrix.float_type = *type;
    matrix.panel_bytes = size_t{source.columns} * kPanelRows * format.block_bytes;
  } else if (const PackedLayout* layout = find_layout(format.codes)) {
    matrix.storage = PackedMatrix::Storage::quantized;
    matrix.layout = static_cast<uint32_t>(layout - packed_layouts().data());
    matrix.panel_bytes = size_t{source.columns} / layout->columns * layout->tile_bytes;
  } else {
    matrix.storage = PackedMatrix::Storage::blocks;
    matrix.decode = format.decode;
    matrix.block_columns = format.block_elements;
    matrix.block_bytes = format.block_bytes;
    matrix.panel_bytes = kPanelRows * format.bytes(source.columns);
  }
  return matrix;
}

size_t packed_bytes(const PackedMatrix& matrix) {
  return round_up(matrix.panels() * matrix.panel_bytes, 64);
}

bool takes_quantized(const MatrixSource& source) {
  return plan_packed(source).storage == PackedMatrix::Storage::quantized;
}

void pack_panels(const MatrixSource& source, const PackedMatrix& matrix, size_t begin, size_t end,
                 const std::byte* rows) {
  const size_t row_bytes = source.format->bytes(source.columns);
  for (size_t panel = begin; panel < end; ++panel, rows += kPanelRows * row_bytes) {
    const size_t count = std::min<size_t>(kPanelRows, source.rows - panel * kPanelRows);
    auto* out = const_cast<std::byte*>(matrix.data) + panel * matrix.panel_bytes;
    switch (matrix.storage) {
      case PackedMatrix::Storage::floats:
        pack_floats(source, rows, count, out);
        break;
      case PackedMatrix::Storage::quantized:
        pack_quantized(source, packed_layouts()[matrix.layout], rows, count, out);
        break;
      case PackedMatrix::Storage::blocks:
        pack_blocks(source, rows, count, out);
        break;
    }
  }
}

void pack_panels(const MatrixSource& source, const PackedMatrix& matrix, size_t begin, size_t end) {
  pack_panels(source, matrix, begin, end, source.data + begin * kPanelRows * source.format->bytes(source.columns));
}

}  // namespace ingle::core
