// Synthetic models against what others say: published numbers of parameters, our own loader, and, where they were
// fetched (INGLE_TEST_MODELS), real files of the same shapes.
#include "core/synth/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "base/files.h"
#include "core/models/config.h"
#include "core/synth/vocabulary.h"
#include "core/synth/weights.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {
namespace {

class SynthTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("synth." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string bytes_of(const SyntheticModel& model) {
    const auto written = write_synthetic(folder_ / "model.gguf", model, nullptr);
    EXPECT_TRUE(written.ok()) << written.error().message;
    return base::read_file(folder_ / "model.gguf", uint64_t{1} << 30).value();
  }

  std::filesystem::path folder_;
};

/// The same kind of model, with one layer and narrow.
Shape small(Shape shape) {
  shape.layers = 1;
  shape.heads /= shape.kv_heads;
  shape.kv_heads = 1;
  shape.width = 768;
  shape.feed_forward = 1024;
  shape.vocabulary = 300;
  return shape;
}

SyntheticModel small_model(const char* mix, uint64_t seed = 0) {
  return {small(*find_shape("smollm2-135m")), *find_mix(mix), seed};
}

TEST(Shapes, HaveAsManyParametersAsPublished) {
  const std::map<std::string_view, uint64_t> published = {
      {"gemma3-270m", 268098176},   {"smollm2-135m", 134515008}, {"llama-3.2-1b", 1235814400},
      {"llama-3.2-3b", 3212749824}, {"llama-2-7b", 6738415616},  {"llama-3.1-8b", 8030261248},
      {"phi-3-mini", 3821079552},   {"qwen2.5-0.5b", 494032768}, {"qwen2.5-1.5b", 1543714304},
      {"qwen2.5-7b", 7615616512},   {"qwen3-0.6b", 596049920},   {"qwen3-1.7b", 1720574976},
      {"qwen3-4b", 4022468096},     {"gemma3-1b", 999885952},    {"smollm2-1.7b", 1711376384},
  };
  EXPECT_EQ(all_shapes().size(), published.size());
  for (const Shape& shape : all_shapes()) EXPECT_EQ(parameters_of(shape), published.at(shape.name)) << shape.name;
}

TEST(Shapes, ReachEveryArchitecture) {
  std::set<std::string_view> reached, supported;
  for (const Shape& shape : all_shapes()) reached.insert(shape.architecture);
  for (const Architecture* architecture : all_architectures())
    if (architecture->name != "bert") supported.insert(architecture->name);  // an encoder: shapes are of decoders
  EXPECT_EQ(reached, supported);
}

TEST(Shapes, LlamaDivisorsAreThoseOfTheLoadersOwnFormula) {
  const Shape& shape = *find_shape("llama-3.2-1b");
  const std::vector<float> divisors = llama3_divisors(shape);
  RopeConfig plain{.base = shape.rope_base, .dimensions = shape.head_dim};
  RopeConfig scaled = plain;
  scaled.scaling = RopeScaling::llama3;
  scaled.factor = shape.llama3.factor;
  scaled.original_context = shape.llama3.original_context;
  const auto expected = make_rope(scaled, 1000).inverse_frequencies, from = make_rope(plain, 1000).inverse_frequencies;
  ASSERT_EQ(divisors.size(), expected.size());
  for (size_t i = 0; i < divisors.size(); ++i)
    EXPECT_NEAR(from[i] / divisors[i], expected[i], 1e-5f * expected[i]) << i;
  EXPECT_EQ(divisors.front(), 1.0f);
  EXPECT_EQ(divisors.back(), 32.0f);
}

/// "NAME:FORMAT …" of the tensors of that name part.
std::string formats_of(const char* shape_name, const char* mix, std::string_view part) {
  const Shape& shape = *find_shape(shape_name);
  std::string out;
  for (const ShapeTensor& tensor : tensors_of(shape)) {
    if (tensor.name != part && !tensor.name.ends_with("." + std::string(part))) continue;
    if (!out.empty()) out += ' ';
    out += format_of(*find_mix(mix), shape, tensor).name;
  }
  return out;
}

// By hand from the rule as llama.cpp states it; with real files: RealFileTest.
TEST(Mixes, SensitiveMatricesGetMoreBits) {
  const std::string expected =
      "Q6_K Q6_K Q6_K Q4_K Q4_K Q6_K Q4_K Q4_K Q6_K Q4_K Q4_K Q6_K Q4_K Q4_K Q6_K Q4_K Q4_K Q6_K Q4_K Q4_K Q6_K "
      "Q4_K Q4_K Q6_K Q6_K Q6_K Q6_K Q6_K";
  EXPECT_EQ(formats_of("qwen2.5-7b", "q4_k_m", "attn_v.weight"), expected);
  EXPECT_EQ(formats_of("qwen2.5-7b", "q4_k_m", "ffn_down.weight"), expected);
  EXPECT_THAT(formats_of("phi-3-mini", "q5_k_m", "attn_qkv.weight"), testing::StartsWith("Q6_K Q6_K Q6_K Q6_K Q5_K"));
  EXPECT_THAT(formats_of("qwen2.5-7b", "q4_k_m", "attn_q.weight"), testing::Not(testing::HasSubstr("Q6_K")));
  EXPECT_EQ(formats_of("qwen2.5-7b", "q4_k_m", "output.weight"), "Q6_K");
  EXPECT_EQ(formats_of("qwen2.5-7b", "q4_k_m", "token_embd.weight"), "Q4_K");
  EXPECT_EQ(formats_of("qwen3-0.6b", "q4_k_m", "token_embd.weight"), "Q6_K") << "tied: it makes the logits";
  EXPECT_EQ(formats_of("qwen2.5-7b", "q8_0", "output.weight"), "Q8_0");
  EXPECT_EQ(formats_of("qwen2.5-7b", "f16", "output_norm.weight"), "F32");
  EXPECT_EQ(formats_of("llama-3.1-8b", "q4_0", "rope_freqs.weight"), "F32");
}

TEST(Mixes, RowsWithoutWholeBlocksFallBack) {
  const auto first = [](const char* shape, const char* mix, const char* part) {
    return formats_of(shape, mix, part).substr(0, 4);
  };
  EXPECT_EQ(first("qwen2.5-0.5b", "q4_k_m", "attn_q.weight"), "Q5_0");
  EXPECT_EQ(first("qwen2.5-0.5b", "q4_k_m", "attn_v.weight"), "Q8_0");
  EXPECT_EQ(first("qwen2.5-0.5b", "q4_k_m", "ffn_down.weight"), "Q6_K");
  EXPECT_EQ(first("qwen2.5-0.5b", "q5_k_m", "attn_q.weight"), "Q5_1");
  EXPECT_EQ(first("smollm2-135m", "q4_1", "attn_q.weight"), "Q4_1");
  EXPECT_EQ(first("smollm2-135m", "q4_1", "token_embd.weight"), "Q8_0");
  Shape odd = *find_shape("smollm2-135m");
  odd.width = 40;
  for (const ShapeTensor& tensor : tensors_of(odd)) {
    if (tensor.name != "blk.0.attn_q.weight") continue;
    EXPECT_EQ(format_of(*find_mix("q4_k_m"), odd, tensor).name, "F16");
    EXPECT_EQ(format_of(*find_mix("q8_0"), odd, tensor).name, "F16");
  }
}

TEST_F(SynthTest, EveryShapeIsWhatItsArchitectureAsksFor) {
  for (const Shape& whole : all_shapes()) {
    SCOPED_TRACE(whole.name);
    const Shape shape = small(whole);
    ASSERT_TRUE(write_synthetic(folder_ / "model.gguf", {shape, *find_mix("q4_0")}, nullptr).ok());
    const auto file = ModelFile::open(folder_ / "model.gguf");
    ASSERT_TRUE(file.ok()) << file.error().message;
    const auto architecture = find_architecture(*file);
    ASSERT_TRUE(architecture.ok()) << architecture.error().message;
    EXPECT_EQ((*architecture)->name, shape.architecture);
    const auto config = (*architecture)->configure(*file);
    ASSERT_TRUE(config.ok()) << config.error().message;
    EXPECT_EQ(config->layers, 1u);
    EXPECT_EQ(config->head_dim, shape.head_dim);
    EXPECT_EQ(config->heads, shape.heads);
    EXPECT_EQ(config->kv_heads, 1u);
    EXPECT_EQ(config->vocabulary_size, 300u);
    EXPECT_EQ(config->trained_context, shape.context);
    EXPECT_EQ(config->rope.base, shape.rope_base);
    EXPECT_EQ(config->norm_epsilon, shape.norm_epsilon);
    EXPECT_EQ(config->window, shape.window);
    const auto graph = (*architecture)->build(*file, *config, {});
    EXPECT_TRUE(graph.ok()) << graph.error().message;
    EXPECT_EQ(file->parameters(), parameters_of(shape) + (shape.llama3.factor != 0 ? shape.head_dim / 2 : 0));
  }
}

TEST_F(SynthTest, TheSameSeedGivesTheSameFile) {
  const std::string first = bytes_of(small_model("q4_k_m", 7));
  EXPECT_TRUE(first == bytes_of(small_model("q4_k_m", 7)));
  EXPECT_FALSE(first == bytes_of(small_model("q4_k_m", 8)));
}

TEST_F(SynthTest, ValuesAreTameInEveryMix) {
  for (const Mix& mix : all_mixes()) {
    SCOPED_TRACE(mix.name);
    bytes_of(small_model(mix.name.data()));
    const auto file = ModelFile::open(folder_ / "model.gguf");
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(*file->metadata.find_uint("general.file_type"), mix.file_type);
    for (const Tensor& tensor : file->tensors) {
      std::vector<float> values(tensor.elements());
      tensor.format->decode(tensor.data.data(), values.data(), values.size() / tensor.format->block_elements);
      double sum = 0, squares = 0;
      for (const float value : values) {
        sum += value;
        squares += double{value} * value;
      }
      const auto count = static_cast<double>(values.size());
      const double mean = sum / count, deviation = std::sqrt(squares / count - mean * mean);
      const bool norm = tensor.name.find("norm") != std::string::npos;
      const double expected = norm ? 0.1 : 1.0 / std::sqrt(static_cast<double>(tensor.columns()));
      EXPECT_NEAR(mean, norm ? 1.0 : 0.0, expected * 0.2) << tensor.name;
      EXPECT_NEAR(deviation / expected, 1.0, 0.1) << tensor.name;
    }
  }
}

TEST_F(SynthTest, RowsAndTensorsDiffer) {
  bytes_of(small_model("f32"));
  const auto file = ModelFile::open(folder_ / "model.gguf").value();
  std::set<std::vector<std::byte>> rows;
  size_t count = 0;
  for (const Tensor& tensor : file.tensors) {
    const size_t size = tensor.data.size() / tensor.rows();
    for (size_t row = 0; row < tensor.rows(); ++row, ++count) {
      const auto bytes = tensor.data.subspan(row * size, size);
      rows.emplace(bytes.begin(), bytes.end());
    }
  }
  EXPECT_EQ(rows.size(), count);
}

TEST_F(SynthTest, CancellingLeavesNothing) {
  size_t calls = 0;
  const auto written = write_synthetic(folder_ / "model.gguf", small_model("f32"), [&](uint64_t done, uint64_t total) {
    EXPECT_LE(done, total);
    return ++calls < 3;
  });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, base::ErrorCode::cancelled);
  EXPECT_EQ(calls, 3u);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST(Synthetic, ImpossibleSizesAreRefused) {
  SyntheticModel model = small_model("q4_0");
  for (const uint32_t layers : {0u, 1025u}) {
    model.shape.layers = layers;
    EXPECT_EQ(describe_synthetic(model).error().code, base::ErrorCode::invalid_argument);
  }
  model = small_model("q4_0");
  for (const uint32_t size : {0u, kMinVocabulary - 1, kMaxVocabulary + 1}) {
    model.shape.vocabulary = size;
    EXPECT_EQ(describe_synthetic(model).error().code, base::ErrorCode::invalid_argument);
  }
}

TEST(Vocabulary, LoadsAndGivesEveryByteBack) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  every +=
      "The quick brown fox: 123, dass die \xc3\xa4"
      "pfel -- \n\n\ttab";
  for (const uint32_t size : {kMinVocabulary, 300u, 20000u, kMaxVocabulary}) {
    SCOPED_TRACE(size);
    ModelFile file;
    for (auto& [key, value] : synthetic_vocabulary(size)) {
      std::visit(
          [&](auto& v) {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, uint32_t>)
              file.metadata.values[key] = uint64_t{v};
            else if constexpr (std::is_same_v<T, std::vector<int32_t>>)
              file.metadata.values[key] = std::vector<int64_t>(v.begin(), v.end());
            else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string> ||
                               std::is_same_v<T, std::vector<std::string>>)
              file.metadata.values[key] = std::move(v);
          },
          value);
    }
    const auto& tokens = *file.metadata.find_strings("tokenizer.ggml.tokens");
    EXPECT_EQ(tokens.size(), size);
    EXPECT_EQ(std::set<std::string>(tokens.begin(), tokens.end()).size(), size);
    const auto tokenizer = load_tokenizer(file);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    const auto ids = (*tokenizer)->encode(every);
    EXPECT_EQ((*tokenizer)->decode(ids), every);
    if (size == kMinVocabulary) {
      EXPECT_EQ(ids.size(), every.size());
    }
    if (size == kMaxVocabulary) {
      EXPECT_LT((*tokenizer)->encode("The quick brown fox").size(), 12u);
    }
    EXPECT_THAT((*tokenizer)->stop_ids(),
                testing::ElementsAre(static_cast<TokenId>(size - 3), static_cast<TokenId>(size - 1)));
  }
}

/// A real file, how it was made, and the shape it has.
struct RealFile {
  const char* file;
  const char* shape;
  const char* mix;
  /// Converted when output matrices were written even where they repeat the embedding, and layers were counted in the
  /// alphabetical order of their tensors' names (0, 1, 10, 11, …), which moves the matrices with more bits.
  bool old_converter;
};

class RealFileTest : public testing::TestWithParam<RealFile> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("INGLE_TEST_MODELS");
    const auto path =
        std::filesystem::path(folder == nullptr ? "/nonexistent" : folder) / (std::string(GetParam().file) + ".gguf");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << GetParam().file << " was not fetched";
    auto file = ModelFile::open(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    file_ = std::move(*file);
    shape_ = *find_shape(GetParam().shape);
    if (GetParam().old_converter) shape_.tied = false;
  }

  ModelFile file_;
  Shape shape_;
};

TEST_P(RealFileTest, HasTheSameTensorsInTheSameFormats) {
  const Mix& mix = *find_mix(GetParam().mix);
  std::map<std::string, uint32_t> ranks;
  for (uint32_t layer = 0; layer < shape_.layers; ++layer) ranks[std::to_string(layer)] = layer;
  uint32_t rank = 0;
  for (auto& [layer, place] : ranks) place = GetParam().old_converter ? rank++ : place;
  size_t count = 0;
  for (ShapeTensor tensor : tensors_of(shape_)) {
    SCOPED_TRACE(tensor.name);
    const Tensor* real = file_.find_tensor(tensor.name);
    ASSERT_NE(real, nullptr);
    ++count;
    EXPECT_EQ(real->columns(), tensor.columns());
    EXPECT_EQ(real->rows(), tensor.rows());
    EXPECT_EQ(real->dim_count, tensor.dims.size());
    tensor.layer = ranks.at(std::to_string(tensor.layer));
    EXPECT_EQ(real->format->name, format_of(mix, shape_, tensor).name);
  }
  EXPECT_EQ(count, file_.tensors.size());
}

TEST_P(RealFileTest, SaysTheSameOfItsSizes) {
  const auto ours = metadata_of(shape_);
  const std::string prefix = std::string(shape_.architecture) + ".";
  EXPECT_EQ(*file_.metadata.find_string("general.architecture"), shape_.architecture);
  EXPECT_EQ(*file_.metadata.find_uint("general.file_type"), find_mix(GetParam().mix)->file_type);
  size_t compared = 0;
  for (const auto& [key, real] : file_.metadata.values) {
    if (!key.starts_with(prefix)) continue;
    SCOPED_TRACE(key);
    const auto found = std::find_if(ours.begin(), ours.end(), [&](const auto& entry) { return entry.first == key; });
    ASSERT_NE(found, ours.end());
    ++compared;
    if (const auto* number = std::get_if<uint32_t>(&found->second))
      EXPECT_EQ(real, MetadataValue(uint64_t{*number}));
    else
      EXPECT_EQ(real, MetadataValue(double{std::get<float>(found->second)}));
  }
  EXPECT_GE(compared, 8u);
  EXPECT_EQ(file_.metadata.find_strings("tokenizer.ggml.tokens")->size(), shape_.vocabulary);
}

INSTANTIATE_TEST_SUITE_P(Models, RealFileTest,
                         testing::Values(RealFile{"smollm2-135m", "smollm2-135m", "q4_1", false},
                                         RealFile{"gemma3-270m", "gemma3-270m", "q4_k_m", false},
                                         RealFile{"qwen2.5-coder-0.5b", "qwen2.5-0.5b", "q4_k_m", true},
                                         RealFile{"qwen2.5-coder-1.5b", "qwen2.5-1.5b", "q4_k_m", true}),
                         [](const auto& test) {
                           std::string name = test.param.shape;
                           std::erase_if(name, [](char c) { return c == '.' || c == '-'; });
                           return name;
                         });

}  // namespace
}  // namespace ingle::core
