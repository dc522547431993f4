// What model files are told to consist of, against NumPy and gguf's decoders (tests/models/make_anatomy.py).
#include "core/anatomy/anatomy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "core/anatomy/comparison.h"
#include "core/anatomy/statistics.h"
#include "core/files/gguf_writer.h"

namespace ingle::core {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;

fs::path models() {
  return fs::path(source_folder()) / "tests" / "data" / "models";
}
ModelFile open(const std::string& name) {
  auto file = ModelFile::open(models() / name);
  EXPECT_TRUE(file.ok()) << file.error().message;
  return std::move(file).value();
}
Json golden() {
  return base::parse_json(*base::read_file(models() / "index-anatomy.json", 1 << 24)).value();
}
void expect_near(double value, double expected, double share = 1e-9) {
  EXPECT_NEAR(value, expected, share * std::max(1.0, std::abs(expected)));
}

TEST(Anatomy, EveryTensorIsReadByAnOperation) {
  for (const char* name : {"llama.gguf", "llama3-hf", "qwen2.gguf", "qwen3.gguf", "gemma3.gguf", "phi3.gguf",
                           "bert-mean.gguf", "bert-cls-hf", "formats.gguf"}) {
    SCOPED_TRACE(name);
    const ModelFile file = open(name);
    const Json told = describe_anatomy(file);
    ASSERT_FALSE(told.contains("reason")) << told["reason"];
    std::set<std::string> read;
    std::set<int64_t> known;
    size_t layers = 0;
    for (const Json& block : told["blocks"]) {
      layers += block["kind"] == "layer" ? 1 : 0;
      for (const Json& op : block["ops"]) {
        for (const Json& weight : op["weights"]) read.insert(weight["tensor"].get<std::string>());
        for (const Json& input : op["inputs"]) EXPECT_TRUE(known.contains(input.get<int64_t>())) << op;
        known.insert(op["id"].get<int64_t>());
      }
    }
    EXPECT_EQ(told["blocks"].front()["kind"].get<std::string>(), "input");
    const bool ends_with_a_layer = std::string_view(name) == "bert-mean.gguf";  // whose rows' mean is the result
    EXPECT_EQ(told["blocks"].back()["kind"].get<std::string>(), ends_with_a_layer ? "layer" : "output");
    EXPECT_EQ(layers, told["config"]["layers"].get<size_t>());
    ASSERT_EQ(told["tensors"].size(), file.tensors.size());
    uint64_t bytes = 0;
    for (const Json& format : told["formats"]) bytes += format["bytes"].get<uint64_t>();
    EXPECT_EQ(bytes, file.tensor_bytes());
    for (const Tensor& tensor : file.tensors) {
      // Divisors of RoPE's angles are no operation's weights; a pooler is not used.
      if (tensor.name.find("rope_f") != std::string::npos || tensor.name.find("pooler") != std::string::npos) continue;
      EXPECT_TRUE(read.contains(tensor.name)) << tensor.name;
    }
  }
}

TEST(Anatomy, LayersThatComputeTheSameAreAlike) {
  const auto likes = [](const std::string& name) {
    std::vector<size_t> all;
    const Json told = describe_anatomy(open(name));
    for (const Json& block : told["blocks"])
      if (block["kind"] == "layer") all.push_back(block["like"].get<size_t>());
    return all;
  };
  EXPECT_THAT(likes("formats.gguf"), testing::Each(0u));  // whatever the formats
  EXPECT_THAT(likes("bert-mean.gguf"), testing::Each(0u));
  // A window but in every n-th layer, and as many of both kinds as the file says.
  const Json gemma = describe_anatomy(open("gemma3.gguf"));
  std::set<int64_t> windows;
  for (const Json& block : gemma["blocks"])
    for (const Json& op : block["ops"])
      if (op.contains("attention")) windows.insert(op["attention"]["window"].get<int64_t>());
  EXPECT_EQ(windows.size(), 2u);
  const auto of_gemma = likes("gemma3.gguf");
  EXPECT_EQ(std::set<size_t>(of_gemma.begin(), of_gemma.end()).size(), 2u);
}

TEST(Anatomy, OfUnknownArchitecturesTheTensorsAreTold) {
  const fs::path path = fs::path(testing::TempDir()) / "unknown.gguf";
  auto writer = GgufWriter::create(path, {{{"general.architecture", std::string("perceptron")}},
                                          {{"layer.weight", find_quant("F32"), {4, 2}}}})
                    .value();
  const float values[8] = {};
  ASSERT_TRUE(writer.write(0, 0, std::as_bytes(std::span(values))).ok());
  ASSERT_TRUE(writer.commit().ok());
  const Json told = describe_anatomy(ModelFile::open(path).value());
  EXPECT_THAT(told["reason"].get<std::string>(), HasSubstr("perceptron"));
  EXPECT_EQ(told["tensors"][0]["dims"], Json({4, 2}));
  EXPECT_TRUE(told["blocks"].empty());
}

TEST(TensorStatistics, AgreeWithNumPy) {
  const Json expected = golden()["statistics"];
  const ModelFile file = open("formats.gguf");
  ASSERT_EQ(expected.size(), file.tensors.size());
  for (const Tensor& tensor : file.tensors) {
    SCOPED_TRACE(tensor.name);
    const auto found = tensor_statistics(tensor).value();
    const Json& of = expected[tensor.name];
    EXPECT_EQ(found.elements, of["elements"].get<uint64_t>());
    EXPECT_EQ(found.finite, found.elements);
    EXPECT_EQ(found.zeros, of["zeros"].get<uint64_t>());
    expect_near(found.min, of["min"]);
    expect_near(found.max, of["max"]);
    expect_near(found.mean, of["mean"]);
    expect_near(found.deviation, of["deviation"]);
    // Where a number lies on an edge, the two may round it to different sides.
    uint64_t moved = 0, all = 0;
    for (size_t i = 0; i < found.histogram.size(); ++i) {
      const auto count = of["histogram"][i].get<uint64_t>();
      moved += std::max(found.histogram[i], count) - std::min(found.histogram[i], count);
      all += found.histogram[i];
    }
    EXPECT_EQ(all, found.elements);
    EXPECT_LE(moved, found.elements / 200);
  }
}

/// A file with one F32 tensor.
struct OneTensor {
  explicit OneTensor(std::vector<float> numbers) : values(std::move(numbers)) {
    tensor.name = "w";
    tensor.format = find_quant("F32");
    tensor.dims = {values.size(), 1, 1, 1};
    tensor.dim_count = 1;
    tensor.data = std::as_bytes(std::span(values));
  }
  std::vector<float> values;
  Tensor tensor;
};

TEST(TensorStatistics, WhatIsNotFiniteIsLeftOut) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const auto found = tensor_statistics(OneTensor({NAN, 1, -kInf, 3, 0, kInf}).tensor).value();
  EXPECT_EQ(found.elements, 6u);
  EXPECT_EQ(found.finite, 3u);
  EXPECT_EQ(found.zeros, 1u);
  EXPECT_EQ(found.max, 3.0f);
  EXPECT_EQ(found.histogram.front() + found.histogram.back(), 2u);
  const auto none = tensor_statistics(OneTensor({NAN}).tensor).value();
  EXPECT_EQ(none.finite, 0u);
  const auto same = tensor_statistics(OneTensor(std::vector<float>(9, -2.5f)).tensor).value();
  EXPECT_EQ(same.histogram.front(), 9u);
  EXPECT_EQ(same.deviation, 0);
  const auto extremes = tensor_statistics(OneTensor({-3e38f, 3e38f}).tensor).value();
  EXPECT_EQ(extremes.histogram.front() + extremes.histogram.back(), 2u);
}

TEST(TensorStatistics, CanBeStopped) {
  const auto stopped = tensor_statistics(OneTensor({1, 2}).tensor, [](double) { return false; });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST(Comparison, AgreesWithNumPy) {
  const Json index = golden();
  ASSERT_EQ(index["comparisons"].size(), 3u);
  for (const Json& expected : index["comparisons"]) {
    SCOPED_TRACE(expected["model"]);
    double done = 0;
    const auto told = [&](const TensorError&, double now) {
      EXPECT_GE(now, done);
      done = now;
      return true;
    };
    const ModelFile model = open(expected["model"]), reference = open(expected["reference"]);
    const auto found = compare_models(model, reference, told).value();
    EXPECT_EQ(done, 1);
    ASSERT_EQ(found.pairs.size(), expected["pairs"].size());
    for (const TensorError& pair : found.pairs) {
      const auto of =
          std::ranges::find_if(expected["pairs"], [&](const Json& each) { return each["tensor"] == pair.tensor; });
      ASSERT_NE(of, expected["pairs"].end()) << pair.tensor;
      SCOPED_TRACE(pair.tensor);
      EXPECT_EQ(pair.reference, (*of)["reference"].get<std::string>());
      EXPECT_EQ(pair.elements, (*of)["elements"].get<uint64_t>());
      expect_near(pair.nmse(), (*of)["nmse"]);
      expect_near(pair.max_error, (*of)["max_error"]);
      expect_near(pair.cosine, (*of)["cosine"]);
      expect_near(to_json(pair)["rms"], (*of)["rms"]);
    }
  }
}

// Of a norm, checkpoints keep what is added to one.
TEST(Comparison, GemmasNormsAreTheSameInBothContainers) {
  const auto found = compare_models(open("gemma3-scaled.gguf"), open("gemma3-scaled-hf"), {}).value();
  for (const TensorError& pair : found.pairs) EXPECT_LT(pair.nmse(), 1e-12) << pair.tensor;
  EXPECT_THAT(found.unpaired, testing::IsEmpty());
}

TEST(Comparison, OtherModelsAreRefused) {
  const auto refused = compare_models(open("llama.gguf"), open("qwen2.gguf"), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("not of the same model"));
}

TEST(Comparison, CanBeStopped) {
  const auto stopped =
      compare_models(open("phi3.gguf"), open("phi3.gguf"), [](const TensorError&, double) { return false; });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

/// A file of a model that nobody knows.
ModelFile unknown(const std::string& name, const QuantFormat& format, const std::vector<float>& values) {
  const fs::path path = fs::path(testing::TempDir()) / name;
  auto writer = GgufWriter::create(path, {{{"general.architecture", std::string("perceptron")}},
                                          {{"shared", &format, {values.size()}}, {name, find_quant("F32"), {1}}}})
                    .value();
  std::vector<std::byte> encoded(format.bytes(values.size()));
  format.encode(values.data(), encoded.data(), values.size() / format.block_elements);
  const float one = 1;
  EXPECT_TRUE(writer.write(0, 0, encoded).ok());
  EXPECT_TRUE(writer.write(1, 0, std::as_bytes(std::span(&one, 1))).ok());
  EXPECT_TRUE(writer.commit().ok());
  return ModelFile::open(path).value();
}

TEST(Comparison, UnknownModelsArePairedByName) {
  std::vector<float> values(256);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const ModelFile original = unknown("original", *find_quant("F32"), values);
  const ModelFile quantised = unknown("quantised", *find_quant("Q4_0"), values);
  const auto found = compare_models(quantised, original, {}).value();
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_EQ(found.pairs[0].format, "Q4_0");
  EXPECT_EQ(found.pairs[0].reference_format, "F32");
  EXPECT_GT(found.pairs[0].nmse(), 1e-4);
  EXPECT_LT(found.pairs[0].nmse(), 1e-2);
  EXPECT_THAT(found.unpaired, testing::UnorderedElementsAre("quantised", "original"));
  EXPECT_EQ(compare_models(original, original, {})->nmse(), 0);
}

TEST(Comparison, NumbersThatAreNotFiniteAreLeftOut) {
  const ModelFile a = unknown("a", *find_quant("F32"), {1, NAN, 3, 0}),
                  b = unknown("b", *find_quant("F32"), {1, 2, 4, 0});
  const auto found = compare_models(a, b, {}).value();
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_EQ(found.pairs[0].not_finite, 1u);
  expect_near(found.pairs[0].nmse(), 1.0 / 17);
  const ModelFile zero = unknown("zero", *find_quant("F32"), {0, 0, 0, 0});
  EXPECT_TRUE(std::isinf(compare_models(b, zero, {})->nmse()));
  EXPECT_EQ(compare_models(zero, zero, {})->pairs[0].cosine, 1);
}

}  // namespace
}  // namespace ingle::core
