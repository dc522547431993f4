// Encoders against transformers: embeddings and scores of tiny random ones (tests/models/make_encoders.py), alone and
// many at a time, in every precision; with each ingredient left out; and of the real one where it was fetched.
#include "core/engine/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "core/backends/cpu/cpu_device.h"
#include "core/backends/cpu/isa.h"
#include "core/engine/memory_plan.h"
#include "core/engine/naive_device.h"
#include "core/engine/test_goldens.h"
#include "core/models/model.h"

namespace ingle::core {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

/// In 32-bit floats throughout, both ours and transformers'.
constexpr double kExactBound = 1e-9;
/// The promise of docs/models.md.
constexpr double kSmallestCosine = 0.9999;

struct GoldenText {
  std::vector<TokenId> tokens;
  size_t second;
  std::string text;  ///< empty: the tokens are of none
};

struct EncoderGolden {
  std::string name, pooling;
  std::filesystem::path file;
  std::vector<GoldenText> texts;
  std::vector<float> embeddings;  ///< [texts][width]
  uint32_t width = 0;
  std::vector<std::pair<std::string, double>> without;

  std::vector<EncoderText> inputs() const {
    std::vector<EncoderText> inputs;
    for (const GoldenText& text : texts) inputs.push_back({text.tokens, text.second});
    return inputs;
  }
  std::span<const float> embedding(size_t text) const { return std::span(embeddings).subspan(text * width, width); }
};

void PrintTo(const EncoderGolden& golden, std::ostream* out) {
  *out << golden.name;
}

std::vector<EncoderGolden> load_encoders(const std::filesystem::path& models, const std::filesystem::path& index_file) {
  const auto index = base::parse_json(*base::read_file(index_file, 1 << 24));
  std::vector<EncoderGolden> goldens;
  for (const auto& entry : (*index)["encoders"]) {
    EncoderGolden golden{entry["name"], entry["pooling"], models / entry["file"].get<std::string>(), {}, {}, 0, {}};
    if (!std::filesystem::exists(golden.file)) continue;
    for (const auto& text : entry["texts"])
      golden.texts.push_back(
          {text["tokens"].get<std::vector<TokenId>>(), text.value("second", ~size_t{0}), text.value("text", "")});
    const auto bytes = base::read_file(index_file.parent_path() / entry["embeddings"].get<std::string>(), 1 << 24);
    golden.embeddings.resize(bytes->size() / sizeof(float));
    std::memcpy(golden.embeddings.data(), bytes->data(), bytes->size());
    golden.width = entry["width"];
    const base::Json without = entry.value("without", base::Json::object());
    for (const auto& [what, effect] : without.items()) golden.without.emplace_back(what, effect.get<double>());
    goldens.push_back(std::move(golden));
  }
  return goldens;
}

std::vector<EncoderGolden> tiny_encoders() {
  return load_encoders(golden_folder(), golden_folder() / "index-encoders.json");
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

std::unique_ptr<Engine> load(const std::filesystem::path& file, EngineOptions options) {
  options.cache_folder = testing::TempDir();
  auto engine = Engine::load(file, options);
  EXPECT_TRUE(engine.ok()) << engine.error().message;
  return engine.ok() ? std::move(engine).value() : nullptr;
}

class EncoderTest : public testing::TestWithParam<EncoderGolden> {};

TEST_P(EncoderTest, ReferenceMatchesTransformers) {
  const EncoderGolden& golden = GetParam();
  const auto engine = load(golden.file, {.threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  EXPECT_TRUE(engine->info().is_encoder());
  EXPECT_EQ(engine->info().pooling, golden.pooling);
  EXPECT_EQ(engine->info().embedding_width, golden.width);
  const auto embeddings = engine->embed(golden.inputs());
  ASSERT_TRUE(embeddings.ok()) << embeddings.error().message;
  EXPECT_LT(nmse(golden.embeddings, *embeddings), kExactBound);
}

// On every instruction set that works here; with a tile unit, that is in bf16.
TEST_P(EncoderTest, NormalPrecisionPointsTheSameWay) {
  const EncoderGolden& golden = GetParam();
  for (const IsaStatus& status : probe_isas({})) {
    if (!status.proven) continue;
    const auto engine = load(golden.file, {.threads = 2, .isa = std::string(status.name)});
    ASSERT_NE(engine, nullptr);
    const auto embeddings = engine->embed(golden.inputs());
    ASSERT_TRUE(embeddings.ok()) << embeddings.error().message;
    if (golden.pooling == "rank") {
      EXPECT_LT(nmse(golden.embeddings, *embeddings), 1e-3) << status.name;
      continue;
    }
    const double smallest = engine->info().quantization == "Q8_0" ? 0.999 : kSmallestCosine;
    for (size_t i = 0; i < golden.texts.size(); ++i) {
      const auto vector = embeddings->subspan(i * golden.width, golden.width);
      EXPECT_GT(cosine(golden.embedding(i), vector), smallest) << status.name << ", text " << i;
      EXPECT_NEAR(cosine(vector, vector), 1.0, 1e-6);
      double squares = 0;
      for (const float value : vector) squares += double{value} * value;
      EXPECT_NEAR(squares, 1.0, 1e-5);
    }
  }
}

TEST_P(EncoderTest, ATextIsTheSameAloneAndAmongOthersOnAnyThreads) {
  const EncoderGolden& golden = GetParam();
  std::vector<EncoderText> inputs = golden.inputs();
  for (const bool deterministic : {false, true}) {
    const auto engine = load(golden.file, {.threads = 2, .deterministic = deterministic});
    const auto other = load(golden.file, {.threads = 3, .batch = 200, .deterministic = deterministic});
    ASSERT_TRUE(engine != nullptr && other != nullptr);
    const auto found = engine->embed(inputs);
    ASSERT_TRUE(found.ok());
    const std::vector<float> together(found->begin(), found->end());
    const auto again = other->embed(inputs);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(together, std::vector<float>(again->begin(), again->end()));
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto alone = engine->embed({&inputs[i], 1});
      ASSERT_TRUE(alone.ok());
      const std::vector<float> expected(together.begin() + static_cast<ptrdiff_t>(i * golden.width),
                                        together.begin() + static_cast<ptrdiff_t>((i + 1) * golden.width));
      EXPECT_EQ(expected, std::vector<float>(alone->begin(), alone->end())) << i;
    }
  }
}

// More texts than go into one run, of lengths that end everywhere in a page.
TEST_P(EncoderTest, ManyTextsTakeManyRuns) {
  const EncoderGolden& golden = GetParam();
  const auto engine = load(golden.file, {.threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  const std::vector<TokenId>& longest = golden.texts.back().tokens;
  std::vector<EncoderText> inputs;
  for (size_t i = 0; i < 3 * kMostEncoderTexts; ++i)
    inputs.push_back({std::span(longest).first(i < 150 ? 1 + i % 7 : longest.size())});
  const auto found = engine->embed(inputs);
  ASSERT_TRUE(found.ok());
  const std::vector<float> all(found->begin(), found->end());
  for (size_t i = 0; i < 150; ++i)
    EXPECT_TRUE(std::equal(all.begin() + static_cast<ptrdiff_t>(i * golden.width),
                           all.begin() + static_cast<ptrdiff_t>((i + 1) * golden.width),
                           all.begin() + static_cast<ptrdiff_t>(i % 7 * golden.width)))
        << i;
  EXPECT_LT(nmse(golden.embedding(golden.texts.size() - 1), std::span(all).last(golden.width)), kExactBound);
  const auto none = engine->embed({});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

TEST_P(EncoderTest, WhatIsPlannedIsWhatIsTaken) {
  for (const uint32_t context : {0u, 70u}) {
    EngineOptions options{.context_length = context, .threads = 2};
    options.cache_folder = testing::TempDir();
    const auto engine = load(GetParam().file, options);
    ASSERT_NE(engine, nullptr);
    const auto plan = plan_memory(ModelFile::open(GetParam().file).value(), options);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_EQ(plan->state_bytes, engine->info().state_bytes);
    EXPECT_EQ(plan->activation_bytes, engine->info().activation_bytes);
    EXPECT_EQ(plan->weight_bytes, engine->info().weight_bytes);
    EXPECT_EQ(plan->context_length, engine->info().context_length);
    EXPECT_EQ(engine->info().context_length, context == 0 ? 160u : context);
    EXPECT_EQ(plan->logit_row_bytes, 0u);
  }
}

TEST_P(EncoderTest, SaysWhatItCannotDo) {
  const auto engine = load(GetParam().file, {.context_length = 100, .threads = 1});
  ASSERT_NE(engine, nullptr);
  const auto error = [&](std::vector<TokenId> tokens, size_t second = ~size_t{0}) {
    const EncoderText good{GetParam().texts[1].tokens}, bad{tokens, second};
    const std::vector<EncoderText> texts{good, bad};
    const auto result = engine->embed(texts);
    EXPECT_FALSE(result.ok());
    return result.ok() ? base::Error{} : result.error();
  };
  EXPECT_EQ(error({}).code, ErrorCode::invalid_argument);
  EXPECT_EQ(error({1, -1}).code, ErrorCode::invalid_argument);
  EXPECT_THAT(error({1, 59}).message, HasSubstr("59"));
  const base::Error too_long = error(std::vector<TokenId>(101, 5));
  EXPECT_EQ(too_long.code, ErrorCode::limit_exceeded);
  EXPECT_THAT(too_long.message, HasSubstr("101"));
  EXPECT_THAT(too_long.message, HasSubstr("100"));
  EXPECT_EQ(engine->new_sequence().error().code, ErrorCode::unsupported);
  EXPECT_THAT(engine->new_sequence().error().message, HasSubstr("encoder"));
  EXPECT_EQ(engine->restore_sequence("none").error().code, ErrorCode::unsupported);
  const EncoderText text{GetParam().texts[1].tokens};
  EXPECT_EQ(engine->embed({&text, 1}, [] { return true; }).error().code, ErrorCode::cancelled);
  const auto beyond = Engine::load(GetParam().file, {.context_length = 161});
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code, ErrorCode::limit_exceeded);
  EXPECT_THAT(beyond.error().message, HasSubstr("160"));
}

TEST(Encoders, ADecoderMakesNoEmbeddings) {
  const auto engine = load(golden_folder() / "llama.gguf", {.context_length = 64, .threads = 1});
  ASSERT_NE(engine, nullptr);
  EXPECT_FALSE(engine->info().is_encoder());
  const TokenId token = 1;
  const EncoderText text{{&token, 1}};
  const auto result = engine->embed({&text, 1});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  EXPECT_THAT(result.error().message, HasSubstr("encoder"));
}

/// The graph of a golden's file, run as an engine does, in reference precision.
class EncoderGraphTest : public testing::TestWithParam<EncoderGolden> {
 protected:
  void SetUp() override {
    auto file = ModelFile::open(GetParam().file);
    ASSERT_TRUE(file.ok()) << file.error().message;
    file_ = std::move(file).value();
    const Architecture& architecture = **find_architecture(file_);
    graph_ = architecture.build(file_, architecture.configure(file_).value(), {}).value();
  }

  std::vector<float> embeddings(Device& device, PlanOptions plan) const {
    plan.keep = {graph_.embedding};
    const Program program = compile(graph_, plan);
    EXPECT_TRUE(device.prepare(graph_, program).ok());
    Encoder encoder(device, program, GetParam().pooling != "rank");
    EXPECT_TRUE(encoder.prepare().ok());
    const std::vector<EncoderText> inputs = GetParam().inputs();
    std::vector<float> found(inputs.size() * GetParam().width);
    for (size_t done = 0; done < inputs.size();) {
      const size_t count = encoder.fitting(std::span(inputs).subspan(done));
      encoder.run(std::span(inputs).subspan(done, count), found.data() + done * GetParam().width);
      done += count;
    }
    return found;
  }
  std::vector<float> on_cpu(bool fuse = true) const {
    CpuDevice device({.threads = 2, .kernels = *choose_kernels("", testing::TempDir()), .reference = true});
    PlanOptions plan = cpu_plan_options(256, 160, true);
    plan.fuse = fuse;
    return embeddings(device, plan);
  }

  ModelFile file_;
  Graph graph_;
};

TEST_P(EncoderGraphTest, RunsOnASecondDevice) {
  NaiveDevice forwards, backwards(true), bytes;
  const PlanOptions plan = cpu_plan_options(256, 160, true);
  const std::vector<float> naive = embeddings(forwards, plan);
  EXPECT_LT(nmse(GetParam().embeddings, naive), kExactBound);
  EXPECT_LT(nmse(on_cpu(), naive), 1e-10);
  EXPECT_EQ(naive, embeddings(backwards, plan));
}

TEST_P(EncoderGraphTest, IsTheSameFusedAndInParts) {
  EXPECT_EQ(on_cpu(true), on_cpu(false));
}

// The emulated tile unit: all products are bf16, however few the rows.
TEST_P(EncoderGraphTest, TilesPointTheSameWay) {
  if (GetParam().pooling == "rank") return;
  CpuDevice device({.threads = 2, .kernels = &emulated_tile_kernels(), .kv = KvFormat::f16, .rounds_floats = true});
  const std::vector<float> tiles = embeddings(device, cpu_tile_plan_options(256, 160));
  EXPECT_GT(nmse(GetParam().embeddings, tiles), kExactBound);
  for (size_t i = 0; i < GetParam().texts.size(); ++i)
    EXPECT_GT(cosine(GetParam().embedding(i), std::span(tiles).subspan(i * GetParam().width, GetParam().width)),
              kSmallestCosine)
        << i;
}

/// Takes an ingredient out of a graph.
void leave_out(std::string_view what, Graph& graph) {
  for (Op& op : graph.ops) {
    if (what == "positions" && op.kind == OpKind::embed && op.embed_by == EmbedBy::position) op.factor = 0.0f;
    if (what == "types" && op.kind == OpKind::embed && op.embed_by == EmbedBy::type) op.factor = 0.0f;
    if (what == "norm_bias" && op.kind == OpKind::layer_norm)
      std::ranges::fill(graph.vectors[static_cast<size_t>(op.bias)], 0.0f);
    if (what == "activation" && op.kind == OpKind::activate) op.activation = Activation::silu;
    if (what == "attention_scale" && op.kind == OpKind::attention) op.attention.scale = 1.0f;
    if (what == "bidirectional" && op.kind == OpKind::attention) op.attention.bidirectional = false;
  }
}

// By as much as transformers is off without it.
TEST_P(EncoderGraphTest, WhatIsLeftOutShows) {
  ASSERT_EQ(GetParam().without.size(), 6u);
  const Graph whole = graph_;
  for (const auto& [what, effect] : GetParam().without) {
    graph_ = whole;
    leave_out(what, graph_);
    EXPECT_NEAR(nmse(GetParam().embeddings, on_cpu()), effect, 0.06 * effect) << what;
  }
}

std::string test_name(const testing::TestParamInfo<EncoderGolden>& test) {
  return golden_test_name(test.param.name);
}

std::vector<EncoderGolden> real_encoders() {
  const char* folder = std::getenv("INGLE_TEST_MODELS");
  return folder == nullptr ? std::vector<EncoderGolden>()
                           : load_encoders(folder, golden_folder() / "real" / "index-encoders.json");
}

class RealEncoderTest : public testing::TestWithParam<EncoderGolden> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RealEncoderTest);

TEST_P(RealEncoderTest, TokensAndEmbeddingsAreTransformers) {
  const EncoderGolden& golden = GetParam();
  const auto engine = load(golden.file, {.threads = 2, .precision = Precision::reference});
  ASSERT_NE(engine, nullptr);
  for (const GoldenText& text : golden.texts)
    EXPECT_EQ(engine->tokenizer().encode(text.text, {.add_special = true}), text.tokens) << text.text.substr(0, 80);
  const auto embeddings = engine->embed(golden.inputs());
  ASSERT_TRUE(embeddings.ok()) << embeddings.error().message;
  EXPECT_LT(nmse(golden.embeddings, *embeddings), kExactBound);
}

TEST_P(RealEncoderTest, NormalPrecisionPointsTheSameWay) {
  const EncoderGolden& golden = GetParam();
  for (const IsaStatus& status : probe_isas({})) {
    if (!status.proven || status.name == "scalar") continue;
    const auto engine = load(golden.file, {.threads = 2, .isa = std::string(status.name)});
    ASSERT_NE(engine, nullptr);
    const auto embeddings = engine->embed(golden.inputs());
    ASSERT_TRUE(embeddings.ok()) << embeddings.error().message;
    double smallest = 1;
    for (size_t i = 0; i < golden.texts.size(); ++i)
      smallest = std::min(smallest, cosine(golden.embedding(i), embeddings->subspan(i * golden.width, golden.width)));
    EXPECT_GT(smallest, kSmallestCosine) << status.name;
    RecordProperty("smallest_cosine_" + std::string(status.name), std::to_string(smallest));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RealEncoderTest, testing::ValuesIn(real_encoders()), test_name);
INSTANTIATE_TEST_SUITE_P(Models, EncoderTest, testing::ValuesIn(tiny_encoders()), test_name);
INSTANTIATE_TEST_SUITE_P(Models, EncoderGraphTest, testing::ValuesIn(tiny_encoders()), test_name);

}  // namespace
}  // namespace ingle::core
