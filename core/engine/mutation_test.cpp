// Do the golden tests bite? Each ingredient of a model (a window, a bias, the scaling of its rotation, …) is left out
// in turn between the model's file and the planner, and the logits must then be far off transformers' golden ones: for
// every golden whose model has the ingredient, and by as much as transformers itself is off without it where the index
// has that ("without", computed by tests/models/make_tiny.py). An ingredient that no golden names fails, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/backends/cpu/isa.h"
#include "core/engine/test_device.h"
#include "core/engine/test_goldens.h"
#include "core/models/model.h"

namespace ingle::core {
namespace {

/// What a golden must at least notice; what the index records is ten times that (make_tiny.py refuses less).
constexpr double kSmallestEffect = 100 * kGoldenBound;
/// The index has two digits of an effect, which is up to 5 % off; the rest is for float arithmetic.
constexpr double kEffectTolerance = 0.06;

/// Something a model may have, and how to leave it out: of its configuration, or of its graph. Both return whether
/// there was anything to leave out; one of them is null.
struct Ingredient {
  std::string_view name;  ///< in the index
  bool (*from_config)(ModelConfig&) = nullptr;
  bool (*from_graph)(Graph&) = nullptr;
};

bool leave_out_rope_scaling(ModelConfig& config) {
  const bool had = config.rope.scaling != RopeScaling::none;
  config.rope.scaling = RopeScaling::none;
  config.rope.attention_factor = 1.0f;
  config.rope.divisors.clear();
  config.rope.long_divisors.clear();
  return had;
}

bool leave_out_attention_factor(ModelConfig& config) {
  return std::exchange(config.rope.attention_factor, 1.0f) != 1.0f;
}

bool leave_out_beta(ModelConfig& config) {
  const RopeConfig defaults;
  const bool other_fast = std::exchange(config.rope.beta_fast, defaults.beta_fast) != defaults.beta_fast;
  const bool other_slow = std::exchange(config.rope.beta_slow, defaults.beta_slow) != defaults.beta_slow;
  return other_fast || other_slow;
}

bool leave_out_rope_base(ModelConfig& config) {
  return std::exchange(config.rope.base, 10000.0f) != 10000.0f;
}

bool leave_out_local_base(ModelConfig& config) {
  return config.window_period != 0 && std::exchange(config.local_rope.base, config.rope.base) != config.rope.base;
}

bool leave_out_partial_rotation(ModelConfig& config) {
  const bool had = config.rope.dimensions != config.head_dim;
  config.rope.dimensions = config.head_dim;
  for (auto* divisors : {&config.rope.divisors, &config.rope.long_divisors})
    if (!divisors->empty()) divisors->resize(config.head_dim / 2, 1.0f);
  return had;
}

/// Which layers have the window: all.
bool leave_out_pattern(ModelConfig& config) {
  if (config.window_period == 0) return config.window != 0 && std::exchange(config.window_from, 0u) != 0;
  return std::exchange(config.window_period, config.layers + 1) <= config.layers;
}

bool leave_out_attention_scale(ModelConfig& config) {
  const float usual = 1.0f / std::sqrt(static_cast<float>(config.head_dim));
  const float scale = std::exchange(config.attention_scale, usual);
  return scale != 0.0f && scale != usual;
}

/// Applies `edit` to every attention; true if it was to any.
bool any_attention(Graph& graph, bool (*edit)(AttentionSpec&)) {
  bool any = false;
  for (Op& op : graph.ops)
    if (op.kind == OpKind::attention) any = edit(op.attention) || any;
  return any;
}

bool leave_out_window(Graph& graph) {
  return any_attention(graph, [](AttentionSpec& spec) { return std::exchange(spec.window, 0u) != 0; });
}

bool leave_out_qk_norm(Graph& graph) {
  return any_attention(graph, [](AttentionSpec& spec) {
    const bool q = std::exchange(spec.q_norm, -1) != -1;
    return std::exchange(spec.k_norm, -1) != -1 || q;
  });
}

bool leave_out_attention_softcap(Graph& graph) {
  return any_attention(graph, [](AttentionSpec& spec) { return std::exchange(spec.softcap, 0.0f) != 0.0f; });
}

bool leave_out_rotation(Graph& graph) {
  return any_attention(graph, [](AttentionSpec& spec) { return std::exchange(spec.rope, -1) != -1; });
}

/// The bias of the products that feed attention's input number `input`.
bool leave_out_bias(Graph& graph, size_t input) {
  std::set<ValueId> fed;
  for (const Op& op : graph.ops)
    if (op.kind == OpKind::attention) fed.insert(op.inputs[input]);
  bool had = false;
  for (Op& op : graph.ops)
    if (op.kind == OpKind::matmul && fed.contains(op.output)) had = std::exchange(op.vector, -1) != -1 || had;
  return had;
}

bool leave_out_softcap(Graph& graph) {
  bool had = false;
  for (Op& op : graph.ops)
    if (op.kind == OpKind::scale) had = std::exchange(op.cap, 0.0f) != 0.0f || had;
  return had;
}

bool leave_out_embedding_scale(Graph& graph) {
  bool had = false;
  for (Op& op : graph.ops)
    if (op.kind == OpKind::embed) had = std::exchange(op.factor, 1.0f) != 1.0f || had;
  return had;
}

bool leave_out_activation(Graph& graph) {
  bool had = false;
  for (Op& op : graph.ops)
    if (op.kind == OpKind::gate) had = std::exchange(op.activation, Activation::silu) != Activation::silu || had;
  return had;
}

/// The norms of what a product gives, before it is added to the residual stream.
bool leave_out_post_norms(Graph& graph) {
  std::map<ValueId, ValueId> instead;
  std::set<ValueId> products;
  for (Op& op : graph.ops) {
    for (ValueId& input : op.inputs)
      if (const auto found = instead.find(input); found != instead.end()) input = found->second;
    if (op.kind == OpKind::matmul) products.insert(op.output);
    if (op.kind == OpKind::rms_norm && products.contains(op.inputs[0])) instead.emplace(op.output, op.inputs[0]);
  }
  std::erase_if(graph.ops, [&](const Op& op) { return instead.contains(op.output); });
  return !instead.empty();
}

/// Gate and up, where one matrix holds both.
bool leave_out_fused_order(Graph& graph) {
  std::vector<const Op*> producers(graph.widths.size());
  for (const Op& op : graph.ops) producers[op.output] = &op;
  const auto source = [&](ValueId value) {
    return producers[value]->kind == OpKind::matmul ? graph.matrices[producers[value]->matrix].name : std::string();
  };
  bool had = false;
  for (Op& op : graph.ops) {
    if (op.kind != OpKind::gate || source(op.inputs[0]).empty()) continue;
    if (source(op.inputs[0]) != source(op.inputs[1])) continue;
    std::swap(op.inputs[0], op.inputs[1]);
    had = true;
  }
  return had;
}

const Ingredient kIngredients[] = {
    {"rope_scaling", leave_out_rope_scaling},
    {"attention_factor", leave_out_attention_factor},
    {"beta", leave_out_beta},
    {"rope_base", leave_out_rope_base},
    {"local_base", leave_out_local_base},
    {"partial_rotation", leave_out_partial_rotation},
    {"pattern", leave_out_pattern},
    {"attention_scale", leave_out_attention_scale},
    {"rotation", nullptr, leave_out_rotation},
    {"window", nullptr, leave_out_window},
    {"qk_norm", nullptr, leave_out_qk_norm},
    {"attention_softcap", nullptr, leave_out_attention_softcap},
    {"softcap", nullptr, leave_out_softcap},
    {"bias", nullptr, [](Graph& graph) { return leave_out_bias(graph, 0); }},
    {"k_bias", nullptr, [](Graph& graph) { return leave_out_bias(graph, 1); }},
    {"v_bias", nullptr, [](Graph& graph) { return leave_out_bias(graph, 2); }},
    {"fused_order", nullptr, leave_out_fused_order},
    {"post_norms", nullptr, leave_out_post_norms},
    {"embedding_scale", nullptr, leave_out_embedding_scale},
    {"activation", nullptr, leave_out_activation},
};

/// The engine's own steps, from a golden's file to its logits in reference precision, with room for a mutation between
/// the model and the planner.
class MutationTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    auto file = ModelFile::open(GetParam().file);
    ASSERT_TRUE(file.ok()) << file.error().message;
    file_ = std::move(file).value();
    for (const LoraSpec& lora : GetParam().loras) {
      auto adapter = ModelFile::open(lora.path);
      ASSERT_TRUE(adapter.ok()) << adapter.error().message;
      adapter_files_.push_back(std::move(adapter).value());
    }
  }

  /// How far the logits are from the golden ones; nothing where the model has none of the ingredient. Without the
  /// adapter in `without_adapter`, if that is one.
  std::optional<double> effect(const Ingredient& ingredient, std::string_view without_adapter = {}) {
    const Golden& golden = GetParam();
    const Architecture& architecture = **find_architecture(file_);
    ModelConfig config = architecture.configure(file_).value();
    if (ingredient.from_config != nullptr && !ingredient.from_config(config)) return std::nullopt;
    std::vector<Adapter> adapters;
    for (size_t i = 0; i < adapter_files_.size(); ++i)
      if (golden.loras[i].path.filename() != without_adapter)
        adapters.push_back({&adapter_files_[i], golden.loras[i].scale});
    Graph graph = architecture.build(file_, config, {.context_length = golden.context, .adapters = adapters}).value();
    if (ingredient.from_graph != nullptr && !ingredient.from_graph(graph)) return std::nullopt;
    const auto kernels = choose_kernels("", testing::TempDir());
    EXPECT_TRUE(kernels.ok());
    const std::vector<float> logits =
        run_graph(graph, golden.tokens, {.threads = 2, .kernels = *kernels, .reference = true});
    EXPECT_EQ(logits.size(), golden.logits.size());
    return nmse(golden.logits, logits);
  }

  static std::optional<double> recorded(std::string_view name) {
    for (const auto& [what, effect] : GetParam().without)
      if (what == name) return effect;
    return std::nullopt;
  }

  ModelFile file_;
  std::vector<ModelFile> adapter_files_;
};

TEST_P(MutationTest, NothingLeftOutIsTheGolden) {
  EXPECT_LT(effect({}).value(), kGoldenBound);
}

TEST_P(MutationTest, WhatIsLeftOutShows) {
  for (const Ingredient& ingredient : kIngredients) {
    const std::optional<double> found = effect(ingredient), expected = recorded(ingredient.name);
    if (!found) {
      EXPECT_FALSE(expected) << "the index records it, but the model has no " << ingredient.name;
      continue;
    }
    EXPECT_GT(*found, kSmallestEffect) << "the golden does not notice a missing " << ingredient.name;
    if (expected) {
      EXPECT_NEAR(*found, *expected, kEffectTolerance * *expected) << ingredient.name;
    }
  }
}

TEST_P(MutationTest, AnAdapterLeftOutShows) {
  for (const LoraSpec& lora : GetParam().loras) {
    const std::string name = lora.path.filename();
    const std::optional<double> expected = recorded(name);
    ASSERT_TRUE(expected) << name;
    EXPECT_NEAR(effect({}, name).value(), *expected, kEffectTolerance * *expected) << name;
  }
}

TEST_P(MutationTest, WhatTheIndexRecordsIsKnownHere) {
  for (const auto& [name, effect] : GetParam().without) {
    const bool known = std::any_of(std::begin(kIngredients), std::end(kIngredients),
                                   [&](const Ingredient& ingredient) { return ingredient.name == name; });
    EXPECT_TRUE(known || name.ends_with(".gguf")) << "nobody checks what happens without " << name;
    EXPECT_GT(effect, kSmallestEffect) << name;
  }
}

TEST(Mutations, EveryIngredientIsRecordedByAGolden) {
  std::set<std::string_view> named;
  const std::vector<Golden> goldens = tiny_goldens();
  for (const Golden& golden : goldens)
    for (const auto& [name, effect] : golden.without) named.insert(name);
  for (const Ingredient& ingredient : kIngredients)
    EXPECT_TRUE(named.contains(ingredient.name)) << "no golden is known to notice a missing " << ingredient.name;
}

INSTANTIATE_TEST_SUITE_P(Models, MutationTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
