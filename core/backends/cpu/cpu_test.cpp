// Every instruction set that works here against the portable kernels, and packing against the formats' own decoders.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/pack.h"

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

TEST(InstructionSets, UnknownOnesAreRefusedByName) {
  const auto kernels = choose_kernels("sse9", {});
  ASSERT_FALSE(kernels.ok());
  EXPECT_NE(kernels.error().message.find("sse9"), std::string::npos);
  EXPECT_NE(kernels.error().message.find("scalar"), std::string::npos);
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

// The 8-bit path is the float path up to the activations' rounding: within 1 % of a random product's size.
TEST(Packing, ByteProductsAreCloseToFloatProducts) {
  constexpr uint32_t kRows = 40, kColumns = 512, kTokens = 14;
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> values(kRows * kColumns), x(kTokens * kColumns);
  for (float& value : values) value = normal(random);
  for (float& value : x) value = normal(random);
  const Kernels& kernels = **choose_kernels("", {});
  for (const QuantFormat* format : all_quants()) {
    if (format->codes.bits == 0) continue;
    std::vector<std::byte> encoded(format->bytes(values.size()));
    format->encode(values.data(), encoded.data(), values.size() / format->block_elements);
    const MatrixSource source{"w", format, encoded.data(), kRows, kColumns};
    PackedMatrix matrix = plan_packed(source);
    ASSERT_EQ(matrix.storage, PackedMatrix::Storage::quantized) << format->name;
    std::vector<std::byte> storage(packed_bytes(matrix));
    matrix.data = storage.data();
    pack_panels(source, matrix, 0, matrix.panels());
    std::vector<ActivationGroup> groups(kTokens * kColumns / kGroup);
    for (size_t t = 0; t < kTokens; ++t)
      kernels.quantize_row(x.data() + t * kColumns, kColumns, groups.data() + t * kColumns / kGroup);
    std::vector<std::byte> scratch(matmul_scratch_bytes(kColumns) + 64);
    auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
    std::vector<float> exact(kTokens * kRows), bytes(kTokens * kRows), single(kTokens * kRows);
    MatmulArgs args;
    args.weight = &matrix;
    args.quantized = groups.data();
    args.input = x.data();
    args.input_stride = kColumns;
    args.rows = kTokens;
    args.out_stride = kRows;
    args.float_path = true;
    args.out = exact.data();
    kernels.matmul(kernels, args, 0, matrix.panels(), aligned);
    args.float_path = false;
    args.out = bytes.data();
    kernels.matmul(kernels, args, 0, matrix.panels(), aligned);
    for (size_t t = 0; t < kTokens; ++t) {  // one row at a time takes another kernel, to the same bits
      MatmulArgs one = args;
      one.quantized = groups.data() + t * kColumns / kGroup;
      one.rows = 1;
      one.out = single.data() + t * kRows;
      kernels.matmul(kernels, one, 0, matrix.panels(), aligned);
    }
    EXPECT_EQ(bytes, single) << format->name;
    double error = 0, size = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      error += (double{exact[i]} - bytes[i]) * (double{exact[i]} - bytes[i]);
      size += double{exact[i]} * exact[i];
    }
    EXPECT_LT(std::sqrt(error / size), 0.01) << format->name;
    EXPECT_GT(error, 0.0) << format->name << ": the 8-bit path was not taken";
  }
}

}  // namespace
}  // namespace ingle::core
