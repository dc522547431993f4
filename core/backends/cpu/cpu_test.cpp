// Every instruction set that works here against the portable kernels, and packing against the formats' own decoders.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <utility>

#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/pack.h"
#include "core/quants/codebook.h"
#include "core/quants/half.h"

namespace ingle::core {
namespace {

TEST(InstructionSets, AgreeWithThePortableKernels) {
  size_t compared = 0;
  for (const IsaStatus& status : probe_isas({})) {
    if (!status.offered) continue;
    EXPECT_TRUE(status.proven) << status.name << ": " << status.note;
    EXPECT_EQ(compare_with_scalar(*find_kernels(status.name)), "") << status.name;
    ++compared;
  }
  EXPECT_GE(compared, 1u);
}

// The kernels for tile units, on any machine: the unit is emulated, what drives it is the same.
TEST(InstructionSets, TileKernelsAgreeOnAnEmulatedUnit) {
  EXPECT_EQ(compare_with_scalar(emulated_tile_kernels()), "");
}

// Where the test run names the set that its processor should get, as tools/deep does for those it emulates, that one
// is chosen: a set that is silently never offered would pass all other tests.
TEST(InstructionSets, TheBestOneIsChosen) {
  const char* expected = std::getenv("INGLE_TEST_ISA");
  if (expected == nullptr) GTEST_SKIP() << "INGLE_TEST_ISA names no instruction set";
  const auto kernels = choose_kernels("", {});
  ASSERT_TRUE(kernels.ok());
  EXPECT_EQ((*kernels)->name, expected);
}

TEST(InstructionSets, UnknownOnesAreRefusedByName) {
  const auto kernels = choose_kernels("sse9", {});
  ASSERT_FALSE(kernels.ok());
  EXPECT_NE(kernels.error().message.find("sse9"), std::string::npos);
  EXPECT_NE(kernels.error().message.find("scalar"), std::string::npos);
}

// A probe needs a pipe. Where there is none, that says nothing about the kernels.
TEST(InstructionSets, AProbeThatCouldNotRunIsNotRemembered) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer looks at memory through a pipe of its own";
#endif
#endif
  if (std::getenv("QEMU_CPU") != nullptr) GTEST_SKIP() << "under emulation a program can't start itself again";
  const auto proven = [](const std::vector<IsaStatus>& statuses) {
    return std::ranges::count_if(statuses, [](const IsaStatus& status) { return status.proven; });
  };
  const auto as_expected = [&] {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "unprobed";
    std::filesystem::remove_all(folder);
    const int free = ::dup(0);
    ::close(free);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    // A file can be written, a pipe can't be opened.
    const rlimit one_more{static_cast<rlim_t>(free) + 1, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &one_more) != 0) return false;
    const auto without = probe_isas(folder);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || proven(without) != 1) return false;  // the portable set
    const auto with = probe_isas(folder);
    return proven(with) == std::ranges::count_if(with, [](const IsaStatus& status) { return status.offered; }) &&
           std::filesystem::exists(folder / "instruction-sets.json");
  };
  // In a process of its own, which has proven nothing yet.
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(std::exit(as_expected() ? 0 : 1), testing::ExitedWithCode(0), "");
}

// A packed matrix times the unit vectors gives back its weights: the float path exactly up to rounding, whatever the
// format and even where the last panel is not full.
TEST(Packing, FloatProductsReadTheWeightsBack) {
  constexpr uint32_t kRows = 21, kColumns = 256;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(kRows * kColumns);
  for (float& value : values) value = normal(random);
  for (const QuantFormat* format : all_quants()) {
    std::vector<std::byte> encoded(format->bytes(values.size()));
    format->encode(values.data(), encoded.data(), values.size() / format->block_elements);
    std::vector<float> decoded(values.size());
    format->decode(encoded.data(), decoded.data(), values.size() / format->block_elements);
    const MatrixSource source{"w", format, encoded.data(), kRows, kColumns};
    PackedMatrix matrix = plan_packed(source);
    std::vector<std::byte> storage(packed_bytes(matrix));
    matrix.data = storage.data();
    pack_panels(source, matrix, 0, matrix.panels());
    std::vector<float> identity(kColumns * kColumns, 0.0f), out(kColumns * kRows);
    for (size_t i = 0; i < kColumns; ++i) identity[i * kColumns + i] = 1.0f;
    std::vector<std::byte> scratch(matmul_scratch_bytes(kColumns) + 64);
    auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
    MatmulArgs args;
    args.weight = &matrix;
    args.input = identity.data();
    args.input_stride = kColumns;
    args.rows = kColumns;
    args.out = out.data();
    args.out_stride = kRows;
    args.float_path = true;
    const Kernels& scalar = *find_kernels("scalar");
    scalar.matmul(scalar, args, 0, matrix.panels(), aligned);
    for (size_t row = 0; row < kRows; ++row)
      for (size_t k = 0; k < kColumns; ++k)
        ASSERT_NEAR(out[k * kRows + row], decoded[row * kColumns + k],
                    1e-6f * (1.0f + std::fabs(decoded[row * kColumns + k])))
            << format->name << " row " << row << " column " << k;
  }
}

// What fills the tiles needs vectors only, so that it is tested where there are no tiles too: next to the portable form
// a weight may be rounded to the other neighbour.
TEST(Tiles, WeightsDecodedByVectorsAgreeWithThePortable) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vbmi")) GTEST_SKIP() << "no AVX-512";
  constexpr uint32_t kRows = 16, kColumns = 512, kTiles = kColumns / kTileColumns;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> values(kRows * kColumns);
  for (float& value : values) value = normal(random);
  size_t compared = 0;
  for (const QuantFormat* format : all_quants()) {
    std::vector<std::byte> encoded(format->bytes(values.size()));
    format->encode(values.data(), encoded.data(), values.size() / format->block_elements);
    const MatrixSource source{"w", format, encoded.data(), kRows, kColumns};
    PackedMatrix matrix = plan_packed(source);
    if (matrix.storage != PackedMatrix::Storage::quantized) continue;
    std::vector<std::byte> storage(packed_bytes(matrix));
    matrix.data = storage.data();
    pack_panels(source, matrix, 0, 1);
    struct alignas(64) Weights {
      uint16_t values[kTiles][2][kTileValues];  // every second tile stays untouched
    };
    const auto decode = [&](const Kernels& kernels) {
      auto out = std::make_unique<Weights>();
      kernels.packed[matrix.layout].unpack_tiles(matrix.data, kColumns / packed_layouts()[matrix.layout].columns,
                                                 out->values[0][0], 2 * kTileValues, 0);
      return out;
    };
    const auto vectors = decode(*find_kernels("amx")), portable = decode(emulated_tile_kernels());
    for (size_t i = 0; i < sizeof(Weights) / sizeof(uint16_t); ++i) {
      const float a = bf16_to_f32((&vectors->values[0][0][0])[i]), b = bf16_to_f32((&portable->values[0][0][0])[i]);
      ASSERT_NEAR(a, b, std::fabs(b) * 0x1p-7f + 1e-4f) << format->name << " value " << i;
    }
    ++compared;
  }
  EXPECT_EQ(compared, kLayoutCount);
#else
  GTEST_SKIP() << "no AMX on this processor family";
#endif
}

// One row of activations, wherever it is among few or many (more than go together in one pass), and however the panels
// are split: the same bits.
TEST(Tiles, RowsDependOnNothingElse) {
  constexpr uint32_t kRows = 40, kColumns = 1792;
  const Kernels& kernels = emulated_tile_kernels();
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(kRows * kColumns), x(kColumns);
  for (float& value : values) value = normal(random);
  for (float& value : x) value = normal(random);
  const QuantFormat& format = *find_quant("Q4_K");
  std::vector<std::byte> encoded(format.bytes(values.size()));
  format.encode(values.data(), encoded.data(), values.size() / format.block_elements);
  const MatrixSource source{"w", &format, encoded.data(), kRows, kColumns};
  PackedMatrix matrix = plan_packed(source);
  std::vector<std::byte> storage(packed_bytes(matrix));
  matrix.data = storage.data();
  pack_panels(source, matrix, 0, matrix.panels());
  std::vector<std::byte> scratch(tile_scratch_bytes() + 64);
  auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
  const auto product = [&](size_t rows, size_t row, std::vector<size_t> ends) {
    std::vector<uint16_t> tiles((rows + kTileRowUnit - 1) / kTileRowUnit * kTileRowUnit * kColumns);
    kernels.store_tile_row(x.data(), kColumns, kColumns, row, 0, tiles.data());
    std::vector<float> out(rows * kRows);
    MatmulArgs args;
    args.weight = &matrix;
    args.tiles = tiles.data();
    args.rows = rows;
    args.out = out.data();
    args.out_stride = kRows;
    size_t begin = 0;
    for (const size_t end : ends) kernels.matmul_tiles(kernels, args, std::exchange(begin, end), end, aligned);
    return std::vector<float>(out.begin() + static_cast<ptrdiff_t>(row * kRows),
                              out.begin() + static_cast<ptrdiff_t>((row + 1) * kRows));
  };
  const auto alone = product(1, 0, {3});
  EXPECT_NE(alone, std::vector<float>(kRows));
  EXPECT_EQ(product(33, 32, {3}), alone);
  EXPECT_EQ(product(550, 30, {2, 3}), alone);
  EXPECT_EQ(product(550, 549, {1, 3}), alone);
}

// A random matrix in one format, packed, and random activations to multiply it with.
class Product {
 public:
  // An odd number of panels, the last one not full; and with 32 groups, of columns more than fit one block of them.
  static constexpr uint32_t kRows = 40, kColumns = 1024;

  Product(const Kernels& kernels, const QuantFormat& format, size_t tokens)
      : kernels_(kernels), x_(tokens * kColumns), groups_(tokens * kColumns / kGroup) {
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    std::vector<float> values(kRows * kColumns);
    for (float& value : values) value = normal(random);
    for (float& value : x_) value = normal(random);
    std::vector<std::byte> encoded(format.bytes(values.size()));
    format.encode(values.data(), encoded.data(), values.size() / format.block_elements);
    const MatrixSource source{"w", &format, encoded.data(), kRows, kColumns};
    matrix_ = plan_packed(source);
    storage_.resize(packed_bytes(matrix_));
    matrix_.data = storage_.data();
    pack_panels(source, matrix_, 0, matrix_.panels());
    kernels.quantize_row(x_.data(), x_.size(), groups_.data());
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  bool quantized() const { return matrix_.storage == PackedMatrix::Storage::quantized; }

  /// The products of activation rows [first, first + count), [count][kRows].
  std::vector<float> rows(size_t first, size_t count, bool float_path) const {
    std::vector<float> out(count * kRows);
    std::vector<std::byte> scratch(matmul_scratch_bytes(kColumns) + 64);
    auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
    MatmulArgs args;
    args.weight = &matrix_;
    args.quantized = groups_.data() + first * kColumns / kGroup;
    args.input = x_.data() + first * kColumns;
    args.input_stride = kColumns;
    args.rows = count;
    args.out = out.data();
    args.out_stride = kRows;
    args.float_path = float_path;
    kernels_.matmul(kernels_, args, 0, matrix_.panels(), aligned);
    return out;
  }

 private:
  const Kernels& kernels_;
  std::vector<float> x_;
  std::vector<ActivationGroup> groups_;
  std::vector<std::byte> storage_;
  PackedMatrix matrix_;
};

// The 8-bit path is the float path up to the activations' rounding: within 1 % of a random product's size.
TEST(Packing, ByteProductsAreCloseToFloatProducts) {
  constexpr size_t kTokens = 14;
  const Kernels& kernels = **choose_kernels("", {});
  for (const QuantFormat* format : all_quants()) {
    if (format->codes.bits == 0) continue;
    const Product product(kernels, *format, kTokens);
    ASSERT_TRUE(product.quantized()) << format->name;
    const auto exact = product.rows(0, kTokens, true), bytes = product.rows(0, kTokens, false);
    double error = 0, size = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      error += (double{exact[i]} - bytes[i]) * (double{exact[i]} - bytes[i]);
      size += double{exact[i]} * exact[i];
    }
    EXPECT_LT(std::sqrt(error / size), 0.01) << format->name;
    EXPECT_GT(error, 0.0) << format->name << ": the 8-bit path was not taken";
  }
}

// Decode and prefill take different kernels, and prefill one per tile size, all to the same bits: up to
// 4, 8 or 16 rows are multiplied directly; 23 are tiles of 6 + 6 + 6 + 4 + 1 or, of up to 4, 5 of them + 2 + 1; more
// than 512 are several blocks.
TEST(Packing, ARowsProductDoesNotDependOnTheNumberOfRows) {
  constexpr size_t kTokens = 1041;
  for (const IsaStatus& status : probe_isas({})) {
    if (!status.proven) continue;
    const Kernels& kernels = *find_kernels(status.name);
    for (const QuantFormat* format : all_quants()) {
      const Product product(kernels, *format, kTokens);
      if (!product.quantized()) continue;
      std::vector<float> single;
      for (size_t t = 0; t < kTokens; ++t) {
        const auto one = product.rows(t, 1, false);
        single.insert(single.end(), one.begin(), one.end());
      }
      for (const size_t count : {2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 11u, 15u, 16u, 23u, 511u, 512u, 513u, 1030u, 1041u}) {
        const auto many = product.rows(0, count, false);
        EXPECT_TRUE(std::equal(many.begin(), many.end(), single.begin()))
            << format->name << " by " << count << " rows on " << status.name;
      }
    }
  }
}

// Codes and activations that are all as large as they can be, in every combination of signs that sums of some columns
// only could go wrong with: sums of 16 bits have no room for anything more. All values are integers, so results are
// exact.
TEST(Packing, ExtremeCodesAndActivationsDoNotOverflow) {
  constexpr uint32_t kColumns = 512;
  constexpr size_t kTokens = 8;
  const auto statuses = probe_isas({});
  std::vector<float> x(kTokens * kColumns);
  for (size_t t = 0; t < kTokens; ++t)
    for (size_t k = 0; k < kColumns; ++k) {
      const bool negative = t % 4 == 1 || (t % 4 == 2 && k / 2 % 2 == 0) || (t % 4 == 3 && k / 16 % 2 == 0);
      x[t * kColumns + k] = negative != (t >= 4) ? -127.0f : 127.0f;
    }
  for (size_t index = 0; index < kLayoutCount; ++index)
    for (const uint8_t planes : {uint8_t{0xff}, uint8_t{0}, uint8_t{0x80}, uint8_t{0x7f}}) {
      const PackedLayout& layout = packed_layouts()[index];
      if (layout.bits != 8 && planes != 0xff && planes != 0) continue;  // codes that are not all the same
      const uint32_t tiles = kColumns / layout.columns, codes = layout.bits * layout.columns * 2;
      std::vector<std::byte> panel(size_t{tiles} * layout.tile_bytes);
      for (uint32_t tile = 0; tile < tiles; ++tile) {
        std::byte* p = panel.data() + size_t{tile} * layout.tile_bytes;
        std::fill_n(p, codes, std::byte{planes});
        const uint32_t scales = layout.columns == 256 ? layout.columns / layout.group * 16 : 0;
        std::fill_n(p + codes, scales, std::byte{1});
        const uint16_t one = f32_to_f16(1.0f);
        for (uint32_t row = 0; row < kPanelRows; ++row)
          std::memcpy(p + codes + (layout.has_min ? 2 : 1) * scales + 2 * size_t{row}, &one, 2);
      }
      PackedMatrix matrix;
      matrix.layout = static_cast<uint32_t>(index);
      matrix.rows = kPanelRows;
      matrix.columns = kColumns;
      matrix.panel_bytes = panel.size();
      matrix.data = panel.data();
      const int code = planes & ((1 << layout.bits) - 1);
      const int value = layout.has_codebook ? kCodebook[static_cast<size_t>(code)]
                        : layout.is_signed  ? static_cast<int8_t>(planes)
                                            : code - layout.zero;
      for (const IsaStatus& status : statuses) {
        if (!status.proven) continue;
        const Kernels& kernels = *find_kernels(status.name);
        std::vector<ActivationGroup> groups(kTokens * kColumns / kGroup);
        kernels.quantize_row(x.data(), x.size(), groups.data());
        std::vector<std::byte> scratch(matmul_scratch_bytes(kColumns) + 64);
        auto* aligned =
            reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
        for (const size_t rows : {size_t{1}, kTokens, kTokens * 2 + 1}) {  // the last: unpacked, not directly
          std::vector<ActivationGroup> repeated;
          for (size_t t = 0; t < rows; ++t)
            repeated.insert(repeated.end(), groups.begin() + static_cast<ptrdiff_t>(t % kTokens * kColumns / kGroup),
                            groups.begin() + static_cast<ptrdiff_t>((t % kTokens + 1) * kColumns / kGroup));
          std::vector<float> out(rows * kPanelRows);
          MatmulArgs args;
          args.weight = &matrix;
          args.quantized = repeated.data();
          args.rows = rows;
          args.out = out.data();
          args.out_stride = kPanelRows;
          kernels.matmul(kernels, args, 0, 1, aligned);
          for (size_t t = 0; t < rows; ++t) {
            float expected = 0;
            for (size_t k = 0; k < kColumns; ++k) expected += static_cast<float>(value) * x[t % kTokens * kColumns + k];
            for (size_t row = 0; row < kPanelRows; ++row)
              ASSERT_EQ(out[t * kPanelRows + row], expected)
                  << status.name << " layout " << index << " codes " << code << " activations " << t % kTokens;
          }
        }
      }
    }
}

}  // namespace
}  // namespace ingle::core
