// Every fusion of the planner against its parts, bit by bit: small graphs of one fusion each, random graphs that try
// the conditions of all of them, and whole models with each of their values kept in turn.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <numeric>
#include <random>

#include "core/backends/cpu/isa.h"
#include "core/engine/naive_device.h"
#include "core/engine/test_device.h"
#include "core/engine/test_goldens.h"
#include "core/models/model.h"

namespace ingle::core {
namespace {

constexpr uint32_t kWidth = 256;

/// A graph under construction, with random weights of its own. All values are kWidth wide, so that any go together.
class GraphMaker {
 public:
  explicit GraphMaker(uint32_t seed) : random_(seed) { graph.vocabulary_size = kWidth; }

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::vector<float> floats(size_t count, float deviation) {
    std::normal_distribution<float> normal(0.0f, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }
  MatrixId matrix(std::string_view format_name) {
    const QuantFormat& format = *find_quant(format_name);
    const std::vector<float> values = floats(size_t{kWidth} * kWidth, 1.0f / 16);
    std::vector<std::byte>& bytes = storage_.emplace_back(format.bytes(values.size()));
    format.encode(values.data(), bytes.data(), values.size() / format.block_elements);
    return graph.add_matrix({std::string(format_name), &format, bytes.data(), kWidth, kWidth});
  }
  VectorId vector() { return graph.add_vector(floats(kWidth, 1.0f)); }
  ValueId attention(ValueId q, ValueId k, ValueId v) {
    AttentionSpec spec;
    spec.layer = graph.layers++;
    spec.heads = spec.kv_heads = 4;
    spec.head_dim = kWidth / spec.heads;
    spec.scale = 0.125f;
    if (graph.ropes.empty()) graph.add_rope({{1.0f, 0.5f, 0.25f, 0.125f}, 1.0f, false});
    spec.rope = 0;
    return graph.attention(q, k, v, spec);
  }

  Graph graph;

 private:
  std::mt19937 random_;
  std::deque<std::vector<std::byte>> storage_;
};

Program plan(const Graph& graph, uint32_t rows, bool fuse, std::vector<ValueId> keep = {}) {
  PlanOptions options = cpu_plan_options(rows, rows, false);
  options.fuse = fuse;
  options.keep = std::move(keep);
  return compile(graph, options);
}

std::vector<ValueId> all_values(const Graph& graph) {
  std::vector<ValueId> values(graph.widths.size());
  std::iota(values.begin(), values.end(), 0);
  return values;
}

struct Outcome {
  std::vector<float> logits;
  std::vector<std::vector<float>> kept;
};

/// One run of five tokens of which three rows want logits, or of as many as `rows`, of which all do.
Outcome run(Device& device, const Graph& graph, const Program& program, uint32_t rows = 5) {
  EXPECT_TRUE(device.prepare(graph, program).ok());
  StatePools pools(device, {program.windows, program.max_rows, program.max_positions});
  SequenceState state = SequenceState::create(pools).value();
  state.extend(rows);
  const SequenceRows sequence{rows, 0, state.pages()};
  std::vector<TokenId> tokens(rows);
  for (uint32_t i = 0; i < rows; ++i) tokens[i] = static_cast<TokenId>(i * 37 % graph.vocabulary_size);
  std::vector<uint32_t> wanted{1, 2, 4};
  if (rows != 5) {
    wanted.resize(rows);
    std::iota(wanted.begin(), wanted.end(), 0u);
  }
  Outcome outcome;
  outcome.logits.resize((graph.output_rows[graph.logits] ? wanted.size() : rows) * graph.vocabulary_size);
  device.run({tokens, {&sequence, 1}, wanted, outcome.logits.data()});
  outcome.kept = kept_values(device, program, rows, wanted.size());
  return outcome;
}

const Kernels& best_kernels() {
  static const Kernels& kernels = **choose_kernels("", testing::TempDir());
  return kernels;
}

Outcome run_cpu(const Graph& graph, const Program& program, uint32_t rows = 5,
                const Kernels& kernels = best_kernels()) {
  CpuDevice device({.threads = 1, .kernels = &kernels});
  return run(device, graph, program, rows);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

size_t kernels_of(const Program& program, KernelKind kind) {
  return static_cast<size_t>(std::count_if(program.kernels.begin(), program.kernels.end(),
                                           [kind](const KernelDesc& kernel) { return kernel.kind == kind; }));
}

/// The sets of kernels that work here, and the emulated tile unit.
const std::vector<const Kernels*>& working_kernels() {
  static const std::vector<const Kernels*> working = [] {
    std::vector<const Kernels*> kernels{&emulated_tile_kernels()};
    for (const IsaStatus& status : probe_isas({}))
      if (status.proven) kernels.push_back(find_kernels(status.name));
    return kernels;
  }();
  return working;
}

/// Expects the same bits from the fused and the unfused program, for the numbers of rows that have kernels of their
/// own, and that the fusion leaves no kernel of the kind `gone`.
void expect_parts(const Graph& graph, KernelKind gone, std::string_view what,
                  const std::vector<uint32_t>& row_counts = {1, 3, 7, 16, 40}) {
  for (const uint32_t rows : row_counts) {
    const Program fused = plan(graph, rows, true), parts = plan(graph, rows, false);
    EXPECT_EQ(kernels_of(fused, gone), 0u) << what;
    EXPECT_GT(kernels_of(parts, gone), 0u) << what;
    for (const Kernels* kernels : working_kernels())
      EXPECT_TRUE(same_bits(run_cpu(graph, fused, rows, *kernels).logits, run_cpu(graph, parts, rows, *kernels).logits))
          << what << ", " << rows << " rows on " << kernels->name;
  }
}

class EachFormat : public testing::TestWithParam<const QuantFormat*> {
 protected:
  GraphMaker maker{7};
  Graph& graph = maker.graph;
  ValueId start() { return graph.embed(maker.matrix("F32"), 16.0f); }
  MatrixId matrix() { return maker.matrix(GetParam()->name); }
  bool takes_bytes() const {
    return cpu_plan_options(1, 1, false).takes_quantized({"", GetParam(), nullptr, kWidth, kWidth});
  }
};

TEST_P(EachFormat, AGateOfTwoProductsIsOneGatedProduct) {
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    const ValueId x = start();
    graph.logits = graph.gate(graph.matmul(x, matrix()), graph.matmul(x, matrix()), activation);
    expect_parts(graph, KernelKind::gate, activation == Activation::silu ? "silu" : "gelu");
    graph = Graph();
    graph.vocabulary_size = kWidth;
  }
}

TEST_P(EachFormat, ASumOfAProductIsAddedToInPlace) {
  for (const bool product_first : {false, true}) {
    const ValueId x = start();
    const ValueId product = graph.matmul(graph.scale(x, 0.5f), matrix(), maker.vector(), 0.25f);
    const ValueId sum = product_first ? graph.add(product, x) : graph.add(x, product);
    graph.logits = graph.scale(sum, 2.0f);
    expect_parts(graph, KernelKind::add, product_first ? "product + x" : "x + product");
    graph = Graph();
    graph.vocabulary_size = kWidth;
  }
}

TEST_P(EachFormat, AProductThatOnlyACapReadsIsCappedAsItIsWritten) {
  const ValueId x = start();
  graph.logits = graph.scale(graph.matmul(x, matrix(), maker.vector(), 0.25f), 1.0f, 1.5f);
  expect_parts(graph, KernelKind::scale, "cap");
}

TEST_P(EachFormat, AProductThatOnlyAnActivationReadsIsActivatedAsItIsWritten) {
  const ValueId x = start();
  graph.logits = graph.activate(graph.matmul(x, matrix(), maker.vector(), 0.25f), Activation::gelu);
  expect_parts(graph, KernelKind::activate, "gelu");
}

// As adapters of the output matrix are.
TEST_P(EachFormat, ASumThatIsTheLogitsIsGatheredThere) {
  const ValueId x = start();
  const ValueId first = graph.add(graph.matmul(x, matrix()), graph.matmul(x, matrix(), -1, 0.5f));
  graph.logits = graph.add(first, graph.matmul(x, matrix(), -1, 2.0f));
  expect_parts(graph, KernelKind::add, "three terms");
}

TEST_P(EachFormat, ANormThatOnlyFeeds8BitProductsWritesWhatTheyRead) {
  if (!takes_bytes()) return;
  const ValueId h = graph.rms_norm(start(), maker.vector(), 1e-6f);
  graph.logits = graph.gate(graph.scale(graph.matmul(h, matrix()), 1.0f), graph.matmul(h, matrix()), Activation::silu);
  expect_parts(graph, KernelKind::quantize, "norm");
}

// Where logits are wanted, a second term holds what rounding to 8 bits loses, for any number of rows.
TEST_P(EachFormat, LogitsAreThoseOfActivationsThatWereNotRounded) {
  if (!takes_bytes()) return;
  graph.logits = graph.matmul(graph.rms_norm(graph.output_row(start()), maker.vector(), 1e-6f), matrix());
  expect_parts(graph, KernelKind::quantize, "norm of rows that want logits");
  for (const uint32_t rows : {1, 3, 7, 40})
    for (const Kernels* kernels : working_kernels()) {
      const std::vector<float> exact = run_cpu(graph, compile(graph, cpu_plan_options(rows, rows, true)), rows).logits;
      const std::vector<float> bytes = run_cpu(graph, plan(graph, rows, true), rows, *kernels).logits;
      ASSERT_EQ(bytes.size(), rows * kWidth);
      double error = 0, norm = 0;
      for (size_t i = 0; i < exact.size(); ++i) {
        error += (double{exact[i]} - bytes[i]) * (double{exact[i]} - bytes[i]);
        norm += double{exact[i]} * exact[i];
      }
      EXPECT_LT(std::sqrt(error / norm), 1e-4) << rows << " rows on " << kernels->name;
    }
}

TEST_P(EachFormat, AGatedProductThatOnlyFeeds8BitProductsWritesWhatTheyRead) {
  if (!takes_bytes()) return;
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    const ValueId h = graph.rms_norm(start(), maker.vector(), 1e-6f);
    const ValueId gated = graph.gate(graph.matmul(h, matrix()), graph.matmul(h, matrix()), activation);
    graph.logits = graph.matmul(gated, matrix());
    expect_parts(graph, KernelKind::quantize, activation == Activation::silu ? "silu" : "gelu");
    graph = Graph();
    graph.vocabulary_size = kWidth;
  }
}

TEST_P(EachFormat, AnActivatedProductThatOnlyFeeds8BitProductsWritesWhatTheyRead) {
  if (!takes_bytes()) return;
  const ValueId h = graph.layer_norm(start(), maker.vector(), maker.vector(), 1e-6f);
  graph.logits = graph.matmul(graph.activate(graph.matmul(h, matrix(), maker.vector()), Activation::gelu), matrix());
  expect_parts(graph, KernelKind::quantize, "gelu");
}

TEST_P(EachFormat, AttentionThatOnlyFeeds8BitProductsWritesWhatTheyRead) {
  if (!takes_bytes()) return;
  const ValueId h = graph.rms_norm(start(), maker.vector(), 1e-6f);
  const ValueId q = graph.matmul(h, matrix()), k = graph.matmul(h, matrix()), v = graph.matmul(h, matrix());
  graph.logits = graph.matmul(maker.attention(q, k, v), matrix());
  expect_parts(graph, KernelKind::quantize, "attention");
}

// More rows than a product takes at a time.
TEST(ManyRows, OfAGatedProductThatWrites8Bits) {
  GraphMaker maker(7);
  const ValueId h = maker.graph.rms_norm(maker.graph.embed(maker.matrix("F32"), 16.0f), maker.vector(), 1e-6f);
  const ValueId gate = maker.graph.matmul(h, maker.matrix("Q4_0")), up = maker.graph.matmul(h, maker.matrix("Q6_K"));
  maker.graph.logits = maker.graph.matmul(maker.graph.gate(gate, up, Activation::silu), maker.matrix("Q4_K"));
  expect_parts(maker.graph, KernelKind::quantize, "many rows", {550});
}

INSTANTIATE_TEST_SUITE_P(Formats, EachFormat, testing::ValuesIn(all_quants().begin(), all_quants().end()),
                         [](const auto& test) { return std::string(test.param->name); });

/// The conditions of fusion that take a certain order of operations: the same bits fused and in parts, and from the
/// kernels of each phase in any order.
class Order : public testing::Test {
 protected:
  GraphMaker maker{11};
  Graph& graph = maker.graph;
  ValueId x = graph.embed(maker.matrix("F32"), 16.0f);
  ValueId product(ValueId of) { return graph.matmul(of, maker.matrix("F32")); }

  void expect_same(ValueId logits, const std::vector<ValueId>& keep = {}) {
    graph.logits = logits;
    const Outcome parts = run_cpu(graph, plan(graph, 5, false, keep)),
                  fused = run_cpu(graph, plan(graph, 5, true, keep));
    EXPECT_TRUE(same_bits(parts.logits, fused.logits));
    EXPECT_EQ(parts.kept, fused.kept);
    for (const bool fuse : {false, true}) {
      NaiveDevice forwards, backwards(true);
      const Program program = plan(graph, 5, fuse, keep);
      EXPECT_TRUE(same_bits(run(forwards, graph, program).logits, run(backwards, graph, program).logits)) << fuse;
    }
  }
};

TEST_F(Order, AProductIsNotMovedBehindASumInPlaceOfItsInput) {
  const ValueId late = product(x);
  const ValueId sum = graph.add(x, product(graph.scale(x, 0.5f)));
  expect_same(graph.add(graph.scale(sum, 2.0f), late));
}

TEST_F(Order, AGatesProductsAreNotMovedBehindASumInPlaceOfTheirInput) {
  const ValueId gate = product(x), up = product(x);
  const ValueId sum = graph.add(x, product(graph.scale(x, 0.5f)));
  expect_same(graph.add(graph.gate(gate, up, Activation::silu), sum));
}

TEST_F(Order, AProductOfQueriesIsOfThemAsTheyWere) {
  const ValueId q = graph.scale(x, 0.5f), late = product(q);
  expect_same(graph.add(maker.attention(q, product(x), product(x)), late));
}

TEST_F(Order, AProductOfTheOtherTermIsNotAddedInPlace) {
  expect_same(graph.scale(graph.add(x, product(x)), 2.0f));
}

TEST_F(Order, WhatAPhaseReadsIsNotAddedToInIt) {
  const ValueId y = graph.scale(x, 0.5f);
  const ValueId later = graph.scale(y, 3.0f), h = graph.rms_norm(x, -1, 1e-6f);
  const ValueId sum = graph.add(x, product(y));
  expect_same(graph.add(graph.gate(h, sum, Activation::silu), later));
}

TEST_F(Order, WhatAPhaseReadsIsNotRotatedInIt) {
  const ValueId q = product(x), k = product(x), v = product(x);
  const ValueId h = graph.rms_norm(q, -1, 1e-6f), g = graph.rms_norm(k, -1, 1e-6f);
  expect_same(graph.add(graph.gate(h, g, Activation::silu), maker.attention(q, k, v)));
}

TEST_F(Order, AGatedProductThatOthersReadStaysFloats) {
  const ValueId gated = graph.gate(product(x), product(x), Activation::silu);
  expect_same(graph.add(graph.matmul(gated, maker.matrix("Q8_0")), graph.scale(gated, 2.0f)));
  const ValueId bytes =
      graph.gate(graph.matmul(x, maker.matrix("Q8_0")), graph.matmul(x, maker.matrix("Q8_0")), Activation::silu);
  expect_same(graph.add(graph.matmul(bytes, maker.matrix("Q8_0")), graph.scale(bytes, 2.0f)));
}

TEST_F(Order, AttentionThatOthersReadStaysFloats) {
  const ValueId out = maker.attention(product(x), product(x), product(x));
  expect_same(graph.add(graph.matmul(out, maker.matrix("Q8_0")), graph.scale(out, 2.0f)));
}

TEST_F(Order, ACapWithAFactorIsNotTheProducts) {
  expect_same(graph.scale(product(x), 0.5f, 1.5f));
}

TEST_F(Order, AnActivatedProductThatOthersReadIsComputedOnItsOwn) {
  const ValueId y = product(x);
  expect_same(graph.add(graph.activate(y, Activation::gelu), graph.scale(y, 2.0f)));
  const ValueId activated = graph.activate(graph.matmul(x, maker.matrix("Q8_0")), Activation::gelu);
  expect_same(graph.add(graph.matmul(activated, maker.matrix("Q8_0")), graph.scale(activated, 2.0f)));
}

TEST_F(Order, LogitsThatAreReadOnceMoreStay) {
  const ValueId logits = graph.scale(x, 0.5f), more = graph.add(logits, product(x));
  expect_same(logits);
  expect_same(logits, {more});
}

/// Operations at random, often in the patterns that are fused, over values that were made lately or long ago.
class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : maker_(seed) {
    for (const char* format : {"F32", "Q8_0", "Q4_0"})
      for (int i = 0; i < 2; ++i) matrices_.push_back(maker_.matrix(format));
    values_ = {graph().embed(matrices_[0], 16.0f)};
    for (int i = 0; i < 14; ++i) step(true);
    values_ = {graph().output_row(any())};
    for (int i = 0; i < 6; ++i) step(false);
    graph().logits = values_.back();
  }
  Graph& graph() { return maker_.graph; }

 private:
  ValueId any() {
    const int count = static_cast<int>(values_.size());
    return values_[static_cast<size_t>(maker_.pick(2) == 0 ? count - 1 - maker_.pick(std::min(count, 3))
                                                           : maker_.pick(count))];
  }
  MatrixId matrix() { return matrices_[static_cast<size_t>(maker_.pick(static_cast<int>(matrices_.size())))]; }
  ValueId product(ValueId x) {
    const VectorId bias = maker_.pick(3) == 0 ? maker_.vector() : -1;
    const ValueId value = graph().matmul(x, matrix(), bias, maker_.pick(3) == 0 ? 0.5f : 1.0f);
    if (maker_.pick(3) == 0) values_.push_back(value);  // somebody else may read it, too
    return value;
  }
  Activation activation() {
    constexpr Activation kAll[] = {Activation::silu, Activation::gelu, Activation::gelu_tanh};
    return kAll[maker_.pick(3)];
  }
  // A product is often made some operations before it is used.
  ValueId early_product(ValueId x) {
    const ValueId value = product(x);
    if (maker_.pick(3) == 0) step(false);
    return value;
  }

  void step(bool attention) {
    const ValueId x = any();
    ValueId made = -1;
    switch (maker_.pick(attention ? 9 : 8)) {
      case 0:
        made = maker_.pick(2) == 0 ? graph().rms_norm(x, maker_.vector(), 1e-6f)
                                   : graph().layer_norm(x, maker_.vector(), maker_.vector(), 1e-6f);
        break;
      case 7:
        made = graph().activate(maker_.pick(2) == 0 ? x : early_product(x), activation());
        break;
      case 1:
        made = product(x);
        break;
      case 2:
        made = maker_.pick(2) == 0 ? graph().scale(x, 0.5f, maker_.pick(2) == 0 ? 0.0f : 4.0f)
                                   : graph().scale(early_product(x), 1.0f, 4.0f);
        break;
      case 3:
        made = graph().add(x, any());
        break;
      case 4: {
        const ValueId term = early_product(any());
        made = maker_.pick(2) == 0 ? graph().add(x, term) : graph().add(term, x);
        break;
      }
      case 5:
      case 6: {
        // Of a norm, so that products of products stay finite.
        const ValueId h = maker_.pick(4) == 0 ? x : graph().rms_norm(x, maker_.vector(), 1e-6f);
        values_.push_back(h);
        const ValueId gate = early_product(h);
        made = graph().gate(gate, product(maker_.pick(4) == 0 ? any() : h), activation());
        break;
      }
      default:
        made = maker_.attention(x, any(), any());
    }
    values_.push_back(made);
  }

  GraphMaker maker_;
  std::vector<MatrixId> matrices_;
  std::vector<ValueId> values_;
};

class RandomGraphs : public testing::TestWithParam<uint32_t> {};

TEST_P(RandomGraphs, AreTheSameFusedAndInPartsWhateverIsKept) {
  RandomGraph random(GetParam());
  const Graph& graph = random.graph();
  const std::vector<ValueId> values = all_values(graph);
  const Outcome parts = run_cpu(graph, plan(graph, 5, false, values));
  for (const float logit : parts.logits) ASSERT_TRUE(std::isfinite(logit));
  EXPECT_TRUE(same_bits(parts.logits, run_cpu(graph, plan(graph, 5, true)).logits)) << "fused";
  EXPECT_TRUE(same_bits(parts.logits, run_cpu(graph, plan(graph, 5, false)).logits)) << "in shared buffers";
  for (const ValueId value : values) {
    const Outcome kept = run_cpu(graph, plan(graph, 5, true, {value}));
    EXPECT_TRUE(same_bits(parts.logits, kept.logits)) << "with value " << value << " kept";
    EXPECT_TRUE(same_bits(parts.kept[static_cast<size_t>(value)], kept.kept[0])) << "value " << value;
  }
}

TEST_P(RandomGraphs, RunTheirPhasesInAnyOrder) {
  RandomGraph random(GetParam());
  const Graph& graph = random.graph();
  for (const bool fuse : {false, true}) {
    NaiveDevice forwards, backwards(true);
    const Program program = plan(graph, 5, fuse);
    EXPECT_TRUE(same_bits(run(forwards, graph, program).logits, run(backwards, graph, program).logits)) << fuse;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraphs, testing::Range(1u, 61u));

class KeepTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    file_ = ModelFile::open(GetParam().file).value();
    adapter_files_.reserve(GetParam().loras.size());
    std::vector<Adapter> adapters;
    for (const LoraSpec& lora : GetParam().loras) {
      adapter_files_.push_back(ModelFile::open(lora.path).value());
      adapters.push_back({&adapter_files_.back(), lora.scale});
    }
    const Architecture& architecture = **find_architecture(file_);
    graph_ = architecture
                 .build(file_, architecture.configure(file_).value(),
                        {.context_length = GetParam().context, .adapters = adapters})
                 .value();
  }

  ModelFile file_;
  std::vector<ModelFile> adapter_files_;
  Graph graph_;
};

TEST_P(KeepTest, EveryValueIsTheUnfusedOne) {
  const std::vector<ValueId> values = all_values(graph_);
  const Outcome parts = run_cpu(graph_, plan(graph_, 5, false, values));
  const Program bare = plan(graph_, 5, true), all = plan(graph_, 5, true, values);
  EXPECT_LT(bare.kernels.size(), all.kernels.size());
  EXPECT_LT(bare.arena_bytes, all.arena_bytes);
  EXPECT_TRUE(bare.kept.empty());
  EXPECT_TRUE(same_bits(parts.logits, run_cpu(graph_, bare).logits));
  const Outcome kept_all = run_cpu(graph_, all);
  for (const ValueId value : values) {
    const Program program = plan(graph_, 5, true, {value});
    EXPECT_GE(program.arena_bytes, bare.arena_bytes);
    const Outcome kept = run_cpu(graph_, program);
    const std::vector<float>& expected = parts.kept[static_cast<size_t>(value)];
    EXPECT_TRUE(same_bits(expected, kept.kept[0])) << "value " << value;
    EXPECT_TRUE(same_bits(expected, kept_all.kept[static_cast<size_t>(value)])) << "value " << value << " with all";
    EXPECT_TRUE(same_bits(parts.logits, kept.logits)) << "logits with value " << value << " kept";
  }
}

TEST_P(KeepTest, ValuesAreKnownByName) {
  for (const char* name : {"embedding", "blk.0.attn_q", "blk.1.ffn_gated", "blk.1.output", "output_norm", "logits"}) {
    const ValueId value = graph_.find_value(name);
    ASSERT_GE(value, 0) << name;
    EXPECT_EQ(plan(graph_, 5, true, {value}).kept.at(0).value, value);
  }
  EXPECT_EQ(graph_.find_value("logits"), graph_.logits);
  EXPECT_EQ(graph_.find_value("none"), -1);
}

INSTANTIATE_TEST_SUITE_P(Models, KeepTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
