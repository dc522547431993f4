// A program names no device: what the planner makes for the CPU runs on a second device (naive_device.h) as it is, in
// one prefill and token by token, to transformers' golden logits and to the CPU's own.
#include "core/engine/naive_device.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/backends/cpu/isa.h"
#include "core/engine/test_device.h"
#include "core/engine/test_goldens.h"
#include "core/models/model.h"

namespace ingle::core {
namespace {

/// Between two devices that compute with floats: sums in different orders.
constexpr double kReferenceBound = 1e-10;

class NaiveDeviceTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    auto file = ModelFile::open(GetParam().file);
    ASSERT_TRUE(file.ok()) << file.error().message;
    file_ = std::move(file).value();
    std::vector<Adapter> adapters;
    adapter_files_.reserve(GetParam().loras.size());
    for (const LoraSpec& lora : GetParam().loras) {
      adapter_files_.push_back(ModelFile::open(lora.path).value());
      adapters.push_back({&adapter_files_.back(), lora.scale});
    }
    const Architecture& architecture = **find_architecture(file_);
    const ModelConfig config = architecture.configure(file_).value();
    graph_ = architecture.build(file_, config, {.context_length = GetParam().context, .adapters = adapters}).value();
  }

  Program program(bool reference) const {
    const auto tokens = static_cast<uint32_t>(GetParam().tokens.size());
    return compile(graph_, cpu_plan_options(tokens, tokens, reference));
  }
  /// The logits of all tokens from one and the same program on either device.
  std::vector<float> logits(Device& device, const Program& program, size_t batch) const {
    EXPECT_TRUE(device.prepare(graph_, program).ok());
    return run_tokens(device, graph_, program, GetParam().tokens, batch);
  }
  std::vector<float> cpu_logits(const Program& program) const {
    CpuDevice device({.threads = 2, .kernels = *choose_kernels("", testing::TempDir()), .reference = true});
    return logits(device, program, GetParam().tokens.size());
  }

  ModelFile file_;
  std::vector<ModelFile> adapter_files_;
  Graph graph_;
};

TEST_P(NaiveDeviceTest, RunsTheCpusProgramToTheGoldenLogits) {
  const Program program = this->program(true);
  const std::vector<float> cpu = cpu_logits(program);
  NaiveDevice at_once, by_token;
  const std::vector<float> prefill = logits(at_once, program, GetParam().tokens.size());
  EXPECT_LT(nmse(cpu, prefill), kReferenceBound);
  EXPECT_LT(nmse(GetParam().logits, prefill), kGoldenBound);
  EXPECT_EQ(logits(by_token, program, 1), prefill);
}

// With 8-bit activations, a value halfway between two codes goes either way, and what follows with it: the devices may
// be as far apart as rounding takes the CPU from the golden logits. Where no value is, they agree as closely as above.
TEST_P(NaiveDeviceTest, RunsProgramsOf8BitProducts) {
  const Program program = this->program(false);
  NaiveDevice device;
  const std::vector<float> naive = logits(device, program, 7), cpu = cpu_logits(program);
  const double difference = nmse(cpu, naive);
  EXPECT_LT(difference, std::max(kReferenceBound, nmse(GetParam().logits, cpu)));
  if (GetParam().name == "formats") {
    EXPECT_LT(difference, kReferenceBound);
  }
}

// Kernels that no barrier divides are independent of each other.
TEST_P(NaiveDeviceTest, TheOrderWithinAPhaseDoesNotMatter) {
  for (const bool reference : {false, true}) {
    const Program program = this->program(reference);
    NaiveDevice forwards, backwards(true);
    EXPECT_EQ(logits(forwards, program, 16), logits(backwards, program, 16));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NaiveDeviceTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
