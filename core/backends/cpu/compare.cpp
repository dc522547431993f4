// Every kernel of an instruction set against the portable one, on small pseudo-random data.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/pack.h"
#include "core/quants/half.h"

namespace ingle::core {
namespace {

// xorshift64*: a fixed sequence is all that is needed.
class Random {
 public:
  float uniform() {  // [-1, 1)
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<float>(static_cast<int32_t>((state_ * 0x2545F4914F6CDD1DULL) >> 32)) * 0x1p-31f;
  }
  size_t below(size_t n) { return std::min(static_cast<size_t>((uniform() + 1) / 2 * static_cast<float>(n)), n - 1); }
  std::vector<float> vector(size_t n) {
    std::vector<float> v(n);
    for (float& x : v) x = uniform();
    return v;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

bool close(std::span<const float> a, std::span<const float> b, float tolerance) {
  double error = 0, norm = 1e-20;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(b[i])) return false;
    error += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    norm += double{a[i]} * a[i];
  }
  return error <= double{tolerance} * tolerance * norm;
}

// Memory aligned as kernels want their scratch.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : memory_(bytes + 63) {}
  std::byte* data() { return memory_.data() + (64 - reinterpret_cast<uintptr_t>(memory_.data()) % 64) % 64; }

 private:
  std::vector<std::byte> memory_;
};

struct PackedData {
  std::vector<std::byte> encoded;
  std::vector<std::byte> storage;
  MatrixSource source;
  PackedMatrix matrix;
};

// Of a few blocks in any order: to find codes that fit takes most formats far longer than all that follows.
PackedData make_matrix(const QuantFormat& format, uint32_t rows, uint32_t columns, Random& random) {
  constexpr size_t kKinds = 61;
  PackedData data;
  const auto values = random.vector(kKinds * format.block_elements);
  std::vector<std::byte> kinds(format.bytes(values.size()));
  format.encode(values.data(), kinds.data(), kKinds);
  const size_t block = kinds.size() / kKinds, blocks = size_t{rows} * columns / format.block_elements;
  data.encoded.resize(blocks * block);
  for (size_t i = 0; i < blocks; ++i)
    std::memcpy(data.encoded.data() + i * block, kinds.data() + random.below(kKinds) * block, block);
  data.source = {"probe", &format, data.encoded.data(), rows, columns};
  data.matrix = plan_packed(data.source);
  data.storage.resize(packed_bytes(data.matrix) + 64);
  data.matrix.data = data.storage.data();
  pack_panels(data.source, data.matrix, 0, data.matrix.panels());
  return data;
}

std::vector<float> multiply(const Kernels& kernels, const PackedData& data, const std::vector<float>& x, size_t rows,
                            bool float_path, size_t terms = 1) {
  const size_t columns = data.matrix.columns, row_groups = columns / kGroup;
  std::vector<ActivationGroup> groups(rows * terms * row_groups);
  for (size_t r = 0; r < rows; ++r) {
    ActivationGroup* codes = groups.data() + r * terms * row_groups;
    kernels.quantize_row(x.data() + r * columns, columns, codes);
    if (terms == 2) kernels.quantize_rest(x.data() + r * columns, codes, columns, codes + row_groups);
  }
  std::vector<float> out(rows * data.matrix.rows);
  Scratch scratch(matmul_scratch_bytes(columns));
  MatmulArgs args;
  args.weight = &data.matrix;
  args.quantized = groups.data();
  args.input = x.data();
  args.input_stride = columns;
  args.rows = rows * terms;
  args.terms = terms;
  args.out = out.data();
  args.out_stride = data.matrix.rows;
  args.float_path = float_path || data.matrix.storage != PackedMatrix::Storage::quantized;
  kernels.matmul(kernels, args, 0, data.matrix.panels(), scratch.data());
  return out;
}

std::string compare_matmul(const Kernels& kernels, const Kernels& scalar, Random& random) {
  constexpr uint32_t kRows = 37, kColumns = 512;  // a last panel that is not full
  for (const QuantFormat* format : all_quants()) {
    const PackedData data = make_matrix(*format, kRows, kColumns, random);
    for (const size_t rows :
         {1u, 2u, 3u, 7u, 15u, 23u}) {  // 23, of one term or two, are unpacked everywhere, in tiles of all sizes
      const auto x = random.vector(rows * kColumns);
      for (const bool float_path : {false, true})
        if (!close(multiply(scalar, data, x, rows, float_path), multiply(kernels, data, x, rows, float_path), 1e-5f))
          return "matmul of " + std::string(format->name) + " by " + std::to_string(rows) + " rows";
      if (data.matrix.storage != PackedMatrix::Storage::quantized) continue;
      // One term of 8 bits is 4e-3 from this, two are 2e-5.
      if (!close(multiply(scalar, data, x, rows, true), multiply(kernels, data, x, rows, false, 2), 1e-4f))
        return "matmul of " + std::string(format->name) + " by " + std::to_string(rows) + " rows of two terms";
    }
  }
  return "";
}

// Products on a tile unit against the portable 32-bit ones of what it gets: rounding the weights to bf16 too is worth
// 2^-9 / sqrt(3) of a value at most.
std::string compare_tiles(const Kernels& kernels, const Kernels& scalar, Random& random) {
  if (kernels.matmul_tiles == nullptr) return "";
  constexpr uint32_t kRows = 55;  // three panels and a half: with pairs, an odd one
  Scratch scratch(tile_scratch_bytes());
  for (const QuantFormat* format : all_quants())
    for (const uint32_t columns : {672u, 1280u, 1792u}) {  // one span of columns, in blocks of unlike lengths, and two
      if (columns % format->block_elements != 0) continue;
      const PackedData weight = make_matrix(*format, kRows, columns, random);
      if (weight.matrix.storage == PackedMatrix::Storage::blocks) continue;
      const PackedData gate = make_matrix(*format, kRows, columns, random);
      const bool first = columns == 672;  // what follows does not depend on how columns are cut
      for (const size_t rows : {33u, 50u}) {
        if (rows == 33 && !first) continue;
        auto x = random.vector(rows * columns);
        for (float& value : x) value = bf16_to_f32(f32_to_bf16(value));
        std::vector<uint16_t> tiles((rows + kTileRowUnit - 1) / kTileRowUnit * kTileRowUnit * columns);
        for (size_t r = 0; r < rows; ++r)
          kernels.store_tile_row(x.data() + r * columns, columns, columns, r, 0, tiles.data());
        const auto start = random.vector(rows * kRows), bias = random.vector(kRows);
        for (const bool gated : {false, true}) {
          if (gated && !first) continue;
          std::vector<float> a = start, b = start;
          MatmulArgs args;
          args.weight = &weight.matrix;
          args.gate = gated ? &gate.matrix : nullptr;
          args.input = x.data();
          args.input_stride = columns;
          args.tiles = tiles.data();
          args.rows = rows;
          args.out_stride = kRows;
          args.scale = 0.5f;
          args.bias = gated ? nullptr : bias.data();
          args.accumulate = !gated;
          args.float_path = true;
          args.out = a.data();
          Scratch floats(matmul_scratch_bytes(columns));
          scalar.matmul(scalar, args, 0, weight.matrix.panels(), floats.data());
          args.float_path = false;
          args.out = b.data();
          kernels.matmul_tiles(kernels, args, 0, 3, scratch.data());
          kernels.matmul_tiles(kernels, args, 3, weight.matrix.panels(), scratch.data());
          if (!close(a, b, 2.5e-3f))
            return "matmul_tiles of " + std::string(format->name) + " by " + std::to_string(rows) + " rows";
        }
      }
    }
  return "";
}

std::string compare_rows(const Kernels& kernels, const Kernels& scalar, Random& random) {
  for (const size_t n : {16u, 40u, 96u, 577u}) {
    auto x = random.vector(n);
    const auto y = random.vector(n);
    for (float& value : x) value *= 8.0f;
    std::vector<float> a(n), b(n);
    const auto differ = [&] { return !close(a, b, 1e-5f); };
    scalar.rms_norm(x.data(), y.data(), 1e-5f, n, a.data());
    kernels.rms_norm(x.data(), y.data(), 1e-5f, n, b.data());
    if (differ()) return "rms_norm";
    scalar.layer_norm(x.data(), y.data(), x.data(), 1e-12f, n, a.data());
    kernels.layer_norm(x.data(), y.data(), x.data(), 1e-12f, n, b.data());
    if (differ()) return "layer_norm";
    for (const Activation kind : {Activation::silu, Activation::gelu, Activation::gelu_tanh}) {
      scalar.activate(kind, x.data(), n, a.data());
      kernels.activate(kind, x.data(), n, b.data());
      if (differ()) return "activate";
      scalar.gate(kind, x.data(), y.data(), n, a.data());
      kernels.gate(kind, x.data(), y.data(), n, b.data());
      if (differ()) return "gate";
    }
    scalar.add(x.data(), y.data(), n, a.data());
    kernels.add(x.data(), y.data(), n, b.data());
    if (differ()) return "add";
    scalar.scale(x.data(), 0.5f, 3.0f, n, a.data());
    kernels.scale(x.data(), 0.5f, 3.0f, n, b.data());
    if (differ()) return "scale";
    const auto cosines = random.vector(n / 2), sines = random.vector(n / 2);
    for (const bool interleaved : {false, true}) {
      a = b = x;
      const RopeArgs args{cosines.data(), sines.data(), static_cast<uint32_t>(n), static_cast<uint32_t>(n / 4 * 2),
                          interleaved};
      scalar.rope(a.data(), args);
      kernels.rope(b.data(), args);
      if (differ()) return "rope";
    }
  }
  return "";
}

// Keys and values that either set of kernels stores are the same bits; what they make of them is close.
std::string compare_attention(const Kernels& kernels, const Kernels& scalar, Random& random) {
  constexpr uint32_t kHeads = 6, kKvHeads = 2, kDim = 56, kPast = 600, kTokens = 5, kPages = 10;
  static_assert(kPast + kTokens <= kPages * kPagePositions && kPast > kSegmentPositions);
  for (const KvFormat format : {KvFormat::f32, KvFormat::f16, KvFormat::q8_0, KvFormat::q4_0}) {
    const size_t page = kv_layer_bytes(format, kKvHeads, kDim);
    std::vector<std::byte> memory(kPages * page), other_memory(kPages * page);
    std::vector<std::byte*> pages, other_pages;
    for (size_t i = 0; i < kPages; ++i) {
      pages.push_back(memory.data() + i * page);
      other_pages.push_back(other_memory.data() + i * page);
    }
    const KvView kv{format, kDim, pages.data(), 0}, other{format, kDim, other_pages.data(), 0};
    for (uint32_t position = 0; position < kPast + kTokens; ++position)
      for (uint32_t head = 0; head < kKvHeads; ++head) {
        const auto k = random.vector(kDim), v = random.vector(kDim);
        const float* first = position % kPagePositions == 0 ? k.data() : nullptr;
        scalar.store_kv(kv, head, position, k.data(), v.data(), first);
        kernels.store_kv(other, head, position, k.data(), v.data(), first);
      }
    if (memory != other_memory) return "store_kv";
    const auto q = random.vector(kTokens * kHeads * kDim);
    // Causal, of a window, and with a prefix that ends in the middle of these queries.
    for (const auto& [window, prefix] : {std::pair{0u, 0u}, {20u, 0u}, {0u, kPast + 3}}) {
      std::vector<float> a(q.size()), b(q.size());
      Scratch scratch(attention_scratch_bytes(kDim));
      const auto args = [&](std::vector<float>& out) {
        return AttentionArgs{q.data(), kHeads * kDim, out.data(), kHeads * kDim, kv,     kHeads,
                             kKvHeads, kPast,         0.3f,       window,        prefix, 0.0f};
      };
      const auto attend = [&](const Kernels& with, std::vector<float>& out) {
        for (uint32_t head = 0; head < kKvHeads; ++head)
          with.attention(args(out), head, 0, kTokens * 3, scratch.data());
      };
      attend(scalar, a);
      attend(kernels, b);
      if (!close(a, b, has_codes(format) ? 1e-4f : 1e-5f)) return "attention";
      if (kernels.attention_tiles == nullptr || format == KvFormat::f32) continue;
      Scratch tile_scratch(attention_tile_scratch_bytes(kDim));
      for (uint32_t head = 0; head < kKvHeads; ++head)
        kernels.attention_tiles(kernels, args(b), head, 0, kTokens * 3, tile_scratch.data());
      // Queries are codes in the one, bf16 in the other.
      if (!close(a, b, has_codes(format) ? 1e-2f : 4e-3f)) return "attention_tiles";
    }
  }
  return "";
}

}  // namespace

std::string compare_with_scalar(const Kernels& kernels) {
  const Kernels& scalar = *find_kernels("scalar");
  Random random;
  for (const auto& compare : {compare_rows, compare_matmul, compare_tiles, compare_attention}) {
    std::string difference = compare(kernels, scalar, random);
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace ingle::core
