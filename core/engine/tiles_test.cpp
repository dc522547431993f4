// Whole models on a tile unit, emulated where there is none: many rows of activations go through it, few do not.
#include <gtest/gtest.h>

#include "core/engine/test_device.h"
#include "core/engine/test_goldens.h"
#include "core/models/model.h"

namespace ingle::core {
namespace {

class TileModelTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    auto file = ModelFile::open(GetParam().file);
    ASSERT_TRUE(file.ok()) << file.error().message;
    file_ = std::move(file).value();
    const Architecture& architecture = **find_architecture(file_);
    const ModelConfig config = architecture.configure(file_).value();
    graph_ = architecture.build(file_, config, {.context_length = kLongContext, .adapters = {}}).value();
    ASSERT_GE(GetParam().tokens.size(), kFewestTileRows);
  }
  // Keys and values in 32 bits would leave the unit out of attention.
  std::vector<float> logits(CpuOptions options) const {
    options.kv = KvFormat::q8_0;
    return run_graph(graph_, GetParam().tokens, options);
  }

  static constexpr uint32_t kLongContext = kSegmentPositions + 60;
  ModelFile file_;
  Graph graph_;
};

// bf16 keeps 8 bits of every activation, groups of 8-bit integers about 7 of most: tiles come closer to the golden.
TEST_P(TileModelTest, TilesAreCloserThanBytes) {
  const double tiles = nmse(GetParam().logits, logits({.threads = 2, .kernels = &emulated_tile_kernels()}));
  const double bytes = nmse(GetParam().logits, logits({.threads = 2, .kernels = find_kernels("scalar")}));
  EXPECT_LT(tiles, bytes);
  EXPECT_GT(tiles, 0.0);
}

TEST_P(TileModelTest, SameBitsOnAnyThreads) {
  const auto one = logits({.threads = 1, .kernels = &emulated_tile_kernels()});
  EXPECT_EQ(one, logits({.threads = 3, .kernels = &emulated_tile_kernels()}));
}

// Behind more than one segment, several workers share out what a block of rows sees.
TEST_P(TileModelTest, SameBitsOnAnyThreadsBehindALongContext) {
  constexpr uint32_t kBatch = 40;
  std::vector<TokenId> tokens;
  while (tokens.size() < kLongContext) tokens.push_back(GetParam().tokens[tokens.size() % GetParam().tokens.size()]);
  const auto logits = [&](uint32_t threads) {
    CpuDevice device({.threads = threads, .kernels = &emulated_tile_kernels(), .kv = KvFormat::q8_0});
    const Program program = compile(graph_, cpu_plan_options(kBatch, kLongContext, false));
    EXPECT_TRUE(device.prepare(graph_, program).ok());
    return run_tokens(device, graph_, program, tokens, kBatch);
  };
  EXPECT_EQ(logits(1), logits(8));
}

TEST_P(TileModelTest, DeterministicLeavesTheUnitAlone) {
  const auto bytes = logits({.threads = 2, .kernels = find_kernels("scalar")});
  EXPECT_EQ(bytes, logits({.threads = 2, .kernels = &emulated_tile_kernels(), .deterministic = true}));
}

std::vector<Golden> goldens() {
  std::vector<Golden> all;
  for (const char* index : {"index.json", "index-formats.json"})
    for (Golden& golden : load_goldens(golden_folder(), golden_folder() / index))
      if (golden.name == "llama-tied" || golden.name == "formats")
        all.push_back(std::move(golden));  // 8 bits and fewer
  return all;
}

INSTANTIATE_TEST_SUITE_P(Models, TileModelTest, testing::ValuesIn(goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
