// What is told of a model that is not here is near what its file says; speeds follow the machine and the model as they
// must; limits are kept, and what is damaged counts as not there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/forecast/machine.h"
#include "core/forecast/shape_file.h"
#include "core/forecast/speed.h"

namespace ingle::core {
namespace {

EngineOptions options(uint32_t context = 2048) {
  EngineOptions options;
  options.context_length = context;
  options.threads = 2;
  options.memory_limit_bytes = uint64_t{64} << 30;
  options.isa = "scalar";  // so that no machine's kernels decide
  return options;
}

ModelNeeds needs_of_shape(std::string_view name, std::string_view quantisation, const EngineOptions& options) {
  const auto found = shape_of(name, quantisation).value();
  const ModelFile file = describe_shape(*found.first, *found.second).value();
  return needs_of(file, usual_tokenizer_bytes(found.first->vocabulary), options).value();
}

constexpr MachineLimits kMachine{
    .large_bytes = 40e9, .byte_products = 500e9, .float_products = 150e9, .tile_products = 2000e9};

class RealModels : public testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(RealModels, AreLikeTheirShapes) {
  const auto [model, shape, quantisation] = GetParam();
  const char* const folder = std::getenv("INGLE_TEST_MODELS");
  const std::filesystem::path path =
      std::filesystem::path(folder == nullptr ? "" : folder) / (std::string(model) + ".gguf");
  if (folder == nullptr || !std::filesystem::exists(path)) GTEST_SKIP() << "INGLE_TEST_MODELS has no " << model;
  const ModelFile file = ModelFile::open(path, FileContents::description).value();
  for (const uint32_t context : {512u, 4096u}) {
    const ModelNeeds real = needs_of(file, options(context)).value();
    const ModelNeeds told = needs_of_shape(shape, quantisation, options(context));
    const auto near = [](double a, double b, double share) { EXPECT_NEAR(a, b, b * share); };
    near(static_cast<double>(told.memory.total_bytes()), static_cast<double>(real.memory.total_bytes()), 0.02);
    near(static_cast<double>(told.memory.weight_bytes), static_cast<double>(real.memory.weight_bytes), 0.02);
    EXPECT_EQ(told.memory.state_bytes, real.memory.state_bytes);
    EXPECT_EQ(told.memory.activation_bytes, real.memory.activation_bytes);
    EXPECT_EQ(told.memory.trained_context_length, real.memory.trained_context_length);
    near(told.work.decode_multiply_adds, real.work.decode_multiply_adds, 1e-9);
    near(told.work.prompt_multiply_adds, real.work.prompt_multiply_adds, 1e-9);
    EXPECT_EQ(told.work.steps, real.work.steps);
    EXPECT_LT(
        std::abs(static_cast<double>(told.memory.tokenizer_bytes) - static_cast<double>(real.memory.tokenizer_bytes)),
        2.1e6);
  }
}

INSTANTIATE_TEST_SUITE_P(Forecast, RealModels,
                         testing::Values(std::tuple{"smollm2-135m", "smollm2-135m", "Q4_1"},
                                         std::tuple{"gemma3-270m", "gemma3-270m", "Q4_K_M"},
                                         std::tuple{"qwen2.5-coder-0.5b", "qwen2.5-0.5b", "Q4_K_M"},
                                         std::tuple{"qwen2.5-coder-1.5b", "qwen2.5-1.5b", "Q4_K_M"}));

TEST(Needs, GrowWithTheContext) {
  uint64_t last = 0;
  for (const uint32_t context : {256u, 1024u, 4096u, 32768u}) {
    const ModelNeeds needs = needs_of_shape("qwen2.5-0.5b", "Q4_K_M", options(context));
    EXPECT_GT(needs.memory.total_bytes(), last);
    last = needs.memory.total_bytes();
  }
}

TEST(Needs, CountProductsAsTheShapeHasThem) {
  const Shape& shape = *find_shape("llama-3.2-1b");
  const ModelNeeds needs = needs_of_shape(shape.name, "Q4_K_M", options());
  double all = 0;
  for (const ShapeTensor& tensor : tensors_of(shape))
    if (tensor.dims.size() > 1) all += static_cast<double>(tensor.columns() * tensor.rows());
  EXPECT_EQ(needs.work.decode_multiply_adds, all) << "the embedding is the output matrix, too";
  const double output = static_cast<double>(shape.width) * shape.vocabulary;
  EXPECT_EQ(needs.work.prompt_multiply_adds + needs.work.prompt_float_multiply_adds, all - output);
}

TEST(Needs, AreRefusedOfWhatIsNoShape) {
  EXPECT_EQ(shape_of("gpt-9", "Q4_K_M").error().code, base::ErrorCode::not_found);
  EXPECT_EQ(shape_of("qwen2.5-0.5b", "Q9").error().code, base::ErrorCode::not_found);
}

TEST(Speed, FollowsTheMachine) {
  const ModelNeeds needs = needs_of_shape("qwen2.5-1.5b", "Q4_K_M", options());
  const SpeedForecast here = forecast_speed(needs, kMachine).value();
  for (const SpeedRange& speed : {here.decode, here.prefill}) {
    EXPECT_GT(speed.least, 0);
    EXPECT_LT(speed.least, speed.expected);
    EXPECT_LT(speed.expected, speed.most);
  }
  // No more than the limits allow.
  EXPECT_LT(here.decode.expected * needs.work.weight_bytes, kMachine.large_bytes);
  EXPECT_LT(here.prefill.expected * needs.work.prompt_multiply_adds, kMachine.byte_products);
  MachineLimits reads = kMachine, multiplies = kMachine;
  reads.large_bytes *= 2;
  multiplies.byte_products *= 2;
  multiplies.float_products *= 2;
  EXPECT_GT(forecast_speed(needs, reads)->decode.expected, 1.5 * here.decode.expected);
  EXPECT_GT(forecast_speed(needs, multiplies)->prefill.expected, 1.5 * here.prefill.expected);
  EXPECT_LE(forecast_speed(needs, reads)->prefill.expected, 1.2 * here.prefill.expected);
}

TEST(Speed, FallsWithTheModelAndTheDepth) {
  double last_decode = 1e9, last_prefill = 1e9;
  for (const char* shape : {"smollm2-135m", "qwen2.5-0.5b", "qwen2.5-1.5b", "llama-3.2-3b", "llama-3.1-8b"}) {
    const SpeedForecast speed = forecast_speed(needs_of_shape(shape, "Q4_K_M", options()), kMachine).value();
    EXPECT_LT(speed.decode.expected, last_decode) << shape;
    EXPECT_LT(speed.prefill.expected, last_prefill) << shape;
    last_decode = speed.decode.expected;
    last_prefill = speed.prefill.expected;
  }
  const ModelNeeds needs = needs_of_shape("qwen2.5-0.5b", "Q4_K_M", options());
  EXPECT_LT(forecast_speed(needs, kMachine, 8192)->decode.expected,
            forecast_speed(needs, kMachine, 0)->decode.expected);
  EXPECT_LT(forecast_speed(needs_of_shape("qwen2.5-0.5b", "Q8_0", options()), kMachine)->decode.expected,
            forecast_speed(needs, kMachine)->decode.expected);
}

TEST(Speed, IsNotToldOfWhatIsNotKnown) {
  ModelNeeds needs = needs_of_shape("qwen2.5-0.5b", "Q4_K_M", options());
  EXPECT_FALSE(forecast_speed(needs, {}));
  needs.memory.streamed_bytes = 1;
  EXPECT_FALSE(forecast_speed(needs, kMachine));
}

class LimitsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "forecast_limits";
};

TEST_F(LimitsTest, AreMeasuredOnceAndKept) {
  EngineOptions asked = options();
  asked.cache_folder = folder_;
  const MachineLimits first = limits_here(asked).value();
  EXPECT_GT(first.large_bytes, 0);
  EXPECT_GT(first.byte_products, 0);
  EXPECT_GT(first.float_products, 0);
  const MachineLimits again = limits_here(asked).value();
  EXPECT_EQ(first.large_bytes, again.large_bytes);
  EXPECT_EQ(first.byte_products, again.byte_products);
  const std::string machine = machine_key(asked).value();
  asked.threads = 1;
  EXPECT_NE(machine_key(asked).value(), machine);
  EXPECT_FALSE(kept_limits(folder_, machine_key(asked).value()));
}

TEST_F(LimitsTest, KeepTheBestOfEachMachine) {
  const int64_t now = std::time(nullptr);
  MachineLimits limits = kMachine;
  ASSERT_TRUE(keep_limits(folder_, "a", limits, now - 100'000).ok());
  ASSERT_TRUE(keep_limits(folder_, "b", limits, now).ok());
  EXPECT_TRUE(kept_limits(folder_, "a")->old);
  EXPECT_FALSE(kept_limits(folder_, "b")->old);
  // A busy moment takes nothing back.
  limits.large_bytes = 1e9;
  limits.byte_products = 900e9;
  EXPECT_EQ(keep_limits(folder_, "a", limits, now)->byte_products, 900e9);
  EXPECT_EQ(kept_limits(folder_, "a")->limits.large_bytes, kMachine.large_bytes);
  EXPECT_EQ(kept_limits(folder_, "a")->limits.byte_products, 900e9);
  EXPECT_FALSE(kept_limits(folder_, "a")->old);
  EXPECT_TRUE(kept_limits(folder_, "b"));
  EXPECT_FALSE(kept_limits(folder_, "c"));
}

TEST_F(LimitsTest, AreNotTakenFromADamagedFile) {
  ASSERT_TRUE(keep_limits(folder_, "a", kMachine, std::time(nullptr)).ok());
  for (const char* text :
       {"", "{}", "[1]", "{\"version\": 2}", "{\"version\": 1, \"checksum\": \"0\", \"entries\": [{}]}"}) {
    std::ofstream(folder_ / "limits.json") << text;
    EXPECT_FALSE(kept_limits(folder_, "a")) << text;
  }
  ASSERT_TRUE(keep_limits(folder_, "a", kMachine, std::time(nullptr)).ok());
  EXPECT_TRUE(kept_limits(folder_, "a"));
}

}  // namespace
}  // namespace ingle::core
