// What is seen of a pass, against transformers (tests/models/make_inspector.py) and against the pass itself.
#include "core/engine/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/engine/test_goldens.h"
#include "core/sampling/distribution.h"

namespace ingle::core {
namespace {

class InspectorTest : public testing::Test {
 protected:
  static Golden golden(const std::string& name) {
    for (const Golden& each : load_goldens(golden_folder(), golden_folder() / "index.json"))
      if (each.name == name) return each;
    ADD_FAILURE() << name;
    return {};
  }
  static std::unique_ptr<Engine> load(const Golden& golden, EngineOptions options = {}) {
    options.context_length = std::max(golden.context, 128u);
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(golden.file, options);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    return std::move(engine).value();
  }
  /// Computes the tokens, `first` of them in a pass of their own, and returns what was observed of the last.
  std::vector<float> observe(Engine& engine, Sequence& sequence, std::span<const TokenId> tokens, size_t first) {
    Inspector& inspector = *engine.inspector();
    if (first > 0) {
      EXPECT_TRUE(engine.forward(sequence, tokens.first(first), LogitRows::none).ok());
    }
    std::vector<float> layers(inspector.layer_floats(), NAN);
    const uint32_t row = static_cast<uint32_t>(tokens.size() - first - 1);
    inspector.observe_next({&row, 1}, layers.data());
    const auto logits = engine.forward(sequence, tokens.subspan(first), LogitRows::last);
    EXPECT_TRUE(logits.ok());
    logits_.assign(logits->begin(), logits->end());
    return layers;
  }
  std::vector<float> logits_;  ///< of the observed token
};

TEST_F(InspectorTest, AgreesWithTransformers) {
  const auto index = base::parse_json(*base::read_file(golden_folder() / "index-inspector.json", 1 << 24)).value();
  ASSERT_GE(index["models"].size(), 6u);
  for (const base::Json& expected : index["models"])
    for (const size_t first : {size_t{0}, size_t{5}})
      for (const uint32_t threads : {1u, 3u}) {
        const Golden of = golden(expected["name"]);
        SCOPED_TRACE(of.name);
        const auto engine = load(of, {.threads = threads, .precision = Precision::reference});
        const auto sequence = engine->new_sequence().value();
        const std::vector<float> layers = observe(*engine, *sequence, of.tokens, first);
        ASSERT_FALSE(layers.empty());
        const auto lens = engine->inspector()->lens(layers, expected["chosen"], 3).value();
        ASSERT_EQ(lens.size(), expected["lens"].size());
        for (size_t i = 0; i < lens.size(); ++i) {
          const base::Json& layer = expected["lens"][i];
          SCOPED_TRACE(lens[i].name);
          EXPECT_EQ(lens[i].name, i == 0 ? "embedding" : std::to_string(i - 1));
          EXPECT_NEAR(lens[i].entropy, layer["entropy"].get<double>(), 1e-3);
          EXPECT_NEAR(lens[i].probability, layer["chosen"].get<double>(), 1e-4);
          EXPECT_EQ(lens[i].rank, layer["rank"].get<uint32_t>());
          for (size_t k = 0; k < 3; ++k) {
            EXPECT_EQ(lens[i].likeliest[k].token, layer["top"][k].get<TokenId>());
            EXPECT_NEAR(lens[i].likeliest[k].probability, layer["probabilities"][k].get<double>(), 1e-4);
          }
        }
        const auto position = static_cast<uint32_t>(of.tokens.size() - 1);
        for (uint32_t layer = 0; layer < expected["attention"].size(); ++layer) {
          const auto found = engine->inspector()->attention(*sequence, layers, position, layer).value();
          const base::Json& heads = expected["attention"][layer];
          ASSERT_EQ(found.heads, heads.size());
          const size_t count = position + 1 - found.first;
          for (uint32_t head = 0; head < found.heads; ++head)
            for (uint32_t at = 0; at <= position; ++at) {
              const double weight = at < found.first ? 0 : found.weights[head * count + at - found.first];
              ASSERT_NEAR(weight, heads[head][at].get<double>(), 1e-4) << layer << " " << head << " " << at;
            }
        }
      }
}

TEST_F(InspectorTest, TheLastLayersLensIsThePassItself) {
  const Golden of = golden("llama");
  for (const Precision precision : {Precision::normal, Precision::reference})
    for (const size_t first : {of.tokens.size() - 1, of.tokens.size() - 3, size_t{0}}) {
      const auto engine = load(of, {.threads = 2, .precision = precision});
      const auto sequence = engine->new_sequence().value();
      const std::vector<float> layers = observe(*engine, *sequence, of.tokens, first);
      const Distribution distribution(logits_);
      const TokenId chosen = distribution.best(2).back().id;
      const LensLayer last = engine->inspector()->lens(layers, chosen, 5).value().back();
      EXPECT_EQ(last.rank, 1u);
      EXPECT_EQ(last.probability, std::exp(distribution.logprob(chosen)));
      EXPECT_EQ(last.entropy, static_cast<float>(distribution.entropy()));
    }
}

TEST_F(InspectorTest, LookingChangesNothing) {
  const Golden of = golden("qwen3");
  const auto engine = load(of, {.threads = 2});
  const auto plain = engine->new_sequence().value(), watched = engine->new_sequence().value();
  const std::span<const TokenId> tokens = of.tokens;
  const auto expected = engine->forward(*plain, tokens, LogitRows::last).value();
  const std::vector<float> logits(expected.begin(), expected.end());
  const std::vector<float> layers = observe(*engine, *watched, tokens, 0);
  EXPECT_EQ(logits_, logits);
  ASSERT_TRUE(engine->inspector()->lens(layers, 1, 1).ok());
  // The lens used the arena that passes use.
  const std::vector<TokenId> next{3};
  const auto a = engine->forward(*plain, next, LogitRows::last).value();
  const std::vector<float> after(a.begin(), a.end());
  const auto b = engine->forward(*watched, next, LogitRows::last).value();
  EXPECT_EQ(std::vector<float>(b.begin(), b.end()), after);
}

TEST_F(InspectorTest, AttentionIsReadFromCodes) {
  const Golden of = golden("llama");
  std::vector<float> exact;
  for (const KvCache cache : {KvCache::f16, KvCache::q8_0}) {
    const auto engine = load(of, {.threads = 2, .kv_cache = cache});
    const auto sequence = engine->new_sequence().value();
    const std::vector<float> layers = observe(*engine, *sequence, of.tokens, 7);
    const auto position = static_cast<uint32_t>(of.tokens.size() - 1);
    // Layer 0 is never kept in codes.
    const auto found = engine->inspector()->attention(*sequence, layers, position, 1).value();
    if (exact.empty()) exact = found.weights;
    double worst = 0;
    for (size_t i = 0; i < exact.size(); ++i) worst = std::max<double>(worst, std::abs(exact[i] - found.weights[i]));
    EXPECT_LT(worst, 0.01);
  }
}

TEST_F(InspectorTest, RefusesWhatIsNotThere) {
  const Golden of = golden("llama");
  const auto engine = load(of);
  Inspector& inspector = *engine->inspector();
  const auto sequence = engine->new_sequence().value();
  const std::vector<float> layers = observe(*engine, *sequence, of.tokens, 0);
  EXPECT_EQ(inspector.lens(std::span(layers).first(3), 0, 1).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(inspector.lens(layers, -1, 1).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(inspector.lens(layers, 1 << 30, 1).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(inspector.attention(*sequence, layers, 5, 99).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(inspector.attention(*sequence, layers, 5000, 0).error().code, base::ErrorCode::invalid_argument);
}

TEST_F(InspectorTest, TheMapOfMemoryHoldsTogether) {
  const auto engine = load(golden("llama"));
  const auto sequence = engine->new_sequence().value();
  const auto used = [&] {
    uint32_t users = 0;
    for (const MemoryMap::Pages& pages : engine->inspector()->memory_map().states)
      for (const uint32_t of : pages.users) users += of;
    return users;
  };
  EXPECT_EQ(used(), 0u);
  ASSERT_TRUE(engine->forward(*sequence, std::vector<TokenId>(65, 1), LogitRows::none).ok());
  EXPECT_EQ(used(), 2u);
  const auto fork = sequence->fork().value();
  EXPECT_EQ(used(), 4u);

  const MemoryMap map = engine->inspector()->memory_map();
  EXPECT_EQ(map.weight_bytes, engine->info().weight_bytes);
  EXPECT_EQ(map.arena_bytes, engine->info().activation_bytes);
  ASSERT_THAT(map.buffers, testing::SizeIs(testing::Gt(10u)));
  for (size_t i = 0; i < map.buffers.size(); ++i) {
    const MemoryMap::Buffer& a = map.buffers[i];
    EXPECT_LE(a.first_phase, a.last_phase);
    EXPECT_LT(a.last_phase, map.phases);
    EXPECT_LE(a.offset + a.bytes, map.arena_bytes);
    for (size_t k = 0; k < i; ++k) {
      const MemoryMap::Buffer& b = map.buffers[k];
      const bool same_time = a.first_phase <= b.last_phase && b.first_phase <= a.last_phase;
      EXPECT_FALSE(same_time && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes) << i << " " << k;
    }
  }
}

TEST_F(InspectorTest, ATimelineEndsWhenItIsStopped) {
  const auto engine = load(golden("llama"));
  const auto sequence = engine->new_sequence().value();
  Inspector& inspector = *engine->inspector();
  const std::vector<TokenId> token{1};
  ASSERT_TRUE(inspector.start_timeline(1 << 20).ok());
  ASSERT_TRUE(engine->forward(*sequence, token, LogitRows::last).ok());
  ASSERT_TRUE(engine->forward(*sequence, token, LogitRows::last).ok());
  inspector.stop_timeline();
  ASSERT_TRUE(engine->forward(*sequence, token, LogitRows::last).ok());
  const base::Json trace = base::parse_json(inspector.timeline()).value();
  int runs = 0, products = 0;
  for (const base::Json& event : trace["traceEvents"]) {
    runs += event["name"] == "run" ? 1 : 0;
    products += event.contains("args") && event["args"].contains("macs") ? 1 : 0;
  }
  EXPECT_EQ(runs, 2);
  EXPECT_GT(products, 10);
}

}  // namespace
}  // namespace ingle::core
