// What is planned is what is taken; what fits loads and what does not is refused; sharing memory changes no bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

using base::ErrorCode;

class MemoryPlanTest : public testing::TestWithParam<Golden> {
 protected:
  static EngineOptions options() {
    EngineOptions options;
    options.threads = 2;
    options.batch = 16;
    options.context_length = 512;
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();
    return options;
  }
  static MemoryPlan plan(const EngineOptions& options) {
    const auto file = ModelFile::open(GetParam().file, FileContents::description);
    EXPECT_TRUE(file.ok()) << file.error().message;
    const auto plan = plan_memory(*file, options);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    return *plan;
  }
};

TEST_P(MemoryPlanTest, IsWhatAnEngineTakes) {
  for (const Precision precision : {Precision::normal, Precision::reference}) {
    EngineOptions options = this->options();
    options.precision = precision;
    const MemoryPlan planned = plan(options);
    const auto engine = Engine::load(GetParam().file, options).value();
    const EngineInfo& info = engine->info();
    EXPECT_EQ(planned.weight_bytes, info.weight_bytes);
    EXPECT_EQ(planned.activation_bytes, info.activation_bytes);
    EXPECT_EQ(planned.context_length, info.context_length);
    EXPECT_EQ(planned.trained_context_length, info.trained_context_length);
    EXPECT_EQ(planned.tokenizer_bytes, engine->tokenizer().memory_bytes());
    EXPECT_EQ(planned.logit_row_bytes, info.vocabulary_size * sizeof(float));
    EXPECT_LE(planned.state_bytes, info.state_bytes);
    EXPECT_GE(static_cast<double>(planned.state_bytes), 0.9 * static_cast<double>(info.state_bytes));
  }
}

TEST_P(MemoryPlanTest, AChosenContextIsBoundedAndANamedOneIsNot) {
  EngineOptions options = this->options();
  options.most_context_length = 32;
  EXPECT_EQ(plan(options).context_length, 512u);
  options.context_length = 0;
  EXPECT_EQ(plan(options).context_length, 32u);
  options.most_context_length = 1u << 30;
  const uint32_t bounded = plan(options).context_length;
  options.most_context_length = 0;
  EXPECT_EQ(plan(options).context_length, bounded) << "no more than without";
}

/// KiB of a mapped file that are resident in this process; 0 where the system does not say.
uint64_t resident_kib(const std::filesystem::path& path) {
  std::ifstream file("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with(path.string())) here = true;
    if (here && line.starts_with("Rss:")) return std::stoull(line.substr(4));
  }
  return 0;
}

TEST_P(MemoryPlanTest, NothingThatLoadingReadStays) {
  const auto engine = Engine::load(GetParam().file, options()).value();
  for (const char* list : {"tokens", "scores", "token_type", "merges"})
    EXPECT_FALSE(engine->file().metadata.has("tokenizer.ggml." + std::string(list)));
  EXPECT_TRUE(engine->file().container != ContainerFormat::gguf || engine->file().metadata.has("tokenizer.ggml.model"));
  EXPECT_EQ(resident_kib(std::filesystem::canonical(GetParam().file)), 0u);
}

TEST_P(MemoryPlanTest, TheLongestContextThatFitsLoadsAndOneTokenMoreDoesNot) {
  EngineOptions options = this->options();
  const MemoryPlan exact = plan(options);
  options.memory_limit_bytes = exact.total_bytes();
  const uint32_t longest = plan(options).fitting_context_length;
  EXPECT_GE(longest, 512u);
  options.context_length = longest;
  EXPECT_TRUE(plan(options).fits());
  EXPECT_TRUE(Engine::load(GetParam().file, options).ok());
  options.context_length = longest + 1;
  EXPECT_FALSE(plan(options).fits());
  const auto refused = Engine::load(GetParam().file, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::out_of_memory);
  EXPECT_NE(refused.error().message.find("up to " + std::to_string(longest) + " tokens"), std::string::npos);
  options.context_length = 0;
  EXPECT_EQ(plan(options).context_length, std::min(exact.trained_context_length, longest));
  options.memory_limit_bytes = exact.weight_bytes;
  EXPECT_EQ(plan(options).fitting_context_length, 0u);
  EXPECT_EQ(Engine::load(GetParam().file, options).error().code, ErrorCode::out_of_memory);
}

TEST_P(MemoryPlanTest, ValuesThatShareMemoryHaveTheSameBits) {
  EngineOptions options = this->options();
  options.context_length = GetParam().context + 16;
  std::vector<std::vector<float>> logits;
  std::vector<uint64_t> bytes;
  for (const bool share : {true, false}) {
    options.plan = share;
    const auto engine = Engine::load(GetParam().file, options).value();
    const auto sequence = engine->new_sequence().value();
    const auto out = engine->forward(*sequence, GetParam().tokens, LogitRows::all).value();
    logits.emplace_back(out.begin(), out.end());
    bytes.push_back(engine->info().activation_bytes);
  }
  EXPECT_EQ(logits[0], logits[1]);
  EXPECT_LT(2 * bytes[0], bytes[1]);
}

/// Bytes of this process that the system may take when it is short of memory, or nothing where it does not say.
std::optional<uint64_t> lazily_freed() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("LazyFree:")) return std::stoull(line.substr(9)) * 1024;
  return std::nullopt;
}

TEST_P(MemoryPlanTest, WhatALongPromptComputedWithIsGivenBackAfterIt) {
  EngineOptions options = this->options();
  options.batch = 512;
  options.context_length = 768;
  const auto engine = Engine::load(GetParam().file, options).value();
  const auto sequence = engine->new_sequence().value();
  const std::vector<TokenId> prompt(512, 1);
  ASSERT_TRUE(engine->forward(*sequence, prompt, LogitRows::last).ok());
  const auto before = lazily_freed();
  if (!before) GTEST_SKIP() << "this system does not tell";
  ASSERT_TRUE(engine->forward(*sequence, std::span(prompt).first(16), LogitRows::last).ok());
  EXPECT_EQ(lazily_freed(), before) << "a short prompt after it may be part of it";
  ASSERT_TRUE(engine->forward(*sequence, std::span(prompt).first(1), LogitRows::last).ok());
  EXPECT_GT(lazily_freed().value(), *before + engine->info().activation_bytes / 4);
}

INSTANTIATE_TEST_SUITE_P(Goldens, MemoryPlanTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& golden) { return golden_test_name(golden.param.name); });

}  // namespace
}  // namespace ingle::core
