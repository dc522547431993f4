// The best tokens without the other logits: those of the whole rows, bit by bit, for any number of rows and threads,
// and the same text from them, whatever the sampling.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "core/backends/cpu/isa.h"
#include "core/engine/generate.h"
#include "core/engine/naive_device.h"
#include "core/engine/test_device.h"
#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

/// By the definition: what has a logit, sorted by logit and then id, cut or filled up to `count`; for each row.
std::vector<TokenLogit> best_of(std::span<const float> logits, size_t vocabulary, size_t count) {
  std::vector<TokenLogit> best;
  for (; !logits.empty(); logits = logits.subspan(vocabulary)) {
    std::vector<TokenLogit> row;
    for (size_t id = 0; id < vocabulary; ++id)
      if (logits[id] > -INFINITY) row.push_back({logits[id], static_cast<int32_t>(id)});
    std::sort(row.begin(), row.end(),
              [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
    row.resize(count);
    best.insert(best.end(), row.begin(), row.end());
  }
  return best;
}

void expect_same(std::span<const TokenLogit> found, std::span<const TokenLogit> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].id, expected[i].id) << i;
    ASSERT_EQ(found[i].logit, expected[i].logit) << i;
  }
}

class BestTest : public testing::TestWithParam<Golden> {
 protected:
  static std::unique_ptr<Engine> load(EngineOptions options = {}) {
    options.context_length = 512;
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(GetParam().file, options);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    return std::move(engine).value();
  }
};

TEST_P(BestTest, AreThoseOfTheWholeRows) {
  const std::span<const TokenId> tokens = GetParam().tokens;
  for (const Precision precision : {Precision::normal, Precision::reference})
    for (const uint32_t threads : {1u, 2u, 3u}) {
      const auto engine = load({.threads = threads, .batch = 16, .precision = precision});
      const size_t vocabulary = engine->info().vocabulary_size;
      const auto sequence = engine->new_sequence().value();
      for (const size_t rows : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 20u, 33u})
        for (const uint32_t count : {1u, 2u, 40u, kMostBest, kMostBest + 1}) {
          const auto part = tokens.first(std::min(rows, tokens.size()));
          for (const LogitRows wanted : {LogitRows::all, LogitRows::last, LogitRows::none}) {
            SCOPED_TRACE(testing::Message() << rows << " rows, " << count << " best, " << threads << " threads");
            sequence->truncate(0);
            const auto whole = engine->forward(*sequence, part, wanted).value();
            const auto expected = best_of(whole, vocabulary, count);
            sequence->truncate(0);
            expect_same(engine->forward_best(*sequence, part, wanted, count).value(), expected);
            EXPECT_EQ(sequence->length(), part.size());
          }
        }
    }
}

TEST_P(BestTest, OfSeveralSequencesToo) {
  const auto engine = load({.threads = 2});
  const std::span<const TokenId> tokens = GetParam().tokens;
  const auto a = engine->new_sequence().value(), b = engine->new_sequence().value();
  const std::vector<SequenceTokens> batch{{a.get(), tokens.first(3)}, {b.get(), tokens.subspan(2, 1)}};
  const auto whole = engine->forward_batch(batch).value();
  const auto expected = best_of(whole, engine->info().vocabulary_size, 5);
  for (const auto& part : batch) part.sequence->truncate(0);
  expect_same(engine->forward_batch_best(batch, 5).value(), expected);
  EXPECT_EQ(a->length(), 3u);
  EXPECT_EQ(b->length(), 1u);
}

TEST_P(BestTest, ErrorsLeaveTheSequenceAsItWas) {
  const auto engine = load({.threads = 1});
  const auto sequence = engine->new_sequence().value();
  const std::vector<TokenId> wrong{static_cast<TokenId>(engine->info().vocabulary_size)};
  EXPECT_EQ(engine->forward_best(*sequence, wrong, LogitRows::last, 1).error().code, base::ErrorCode::invalid_argument);
  const auto cancelled = engine->forward_best(*sequence, GetParam().tokens, LogitRows::last, 1, [] { return true; });
  EXPECT_EQ(cancelled.error().code, base::ErrorCode::cancelled);
  EXPECT_EQ(sequence->length(), 0u);
}

/// Text as generate() makes it, from whole rows of logits.
std::vector<TokenId> text_from_rows(Engine& engine, std::span<const TokenId> prompt, const SamplingParams& sampling,
                                    size_t count) {
  const auto sequence = engine.new_sequence().value();
  const auto sampler = make_sampler(sampling, engine.info().vocabulary_size);
  for (const TokenId token : prompt) sampler->accept(token);
  std::vector<TokenId> text, next(prompt.begin(), prompt.end());
  while (text.size() < count) {
    text.push_back(sampler->sample(engine.forward(*sequence, next, LogitRows::last).value()));
    sampler->accept(text.back());
    next = {text.back()};
  }
  return text;
}

TEST_P(BestTest, GiveTheSameText) {
  const std::vector<SamplingParams> params = {
      {.temperature = 0},
      {.temperature = 0, .top_k = 3, .mirostat = 2},
      {.temperature = 0.8f, .top_k = 1},
      {.temperature = 0.8f, .top_k = 40, .seed = 1},
      {.temperature = 1.5f, .top_k = 40, .top_p = 0.9f, .min_p = 0.02f, .seed = 2},
      {.temperature = 2, .top_k = 256, .typical_p = 0.9f, .seed = 3},
      {.temperature = 1, .top_k = 8, .xtc_probability = 0.5f, .xtc_threshold = 0.05f, .seed = 4},
      // These want whole rows.
      {.temperature = 1, .seed = 5},
      {.temperature = 1, .top_k = 257, .seed = 6},
      {.temperature = 0, .repeat_penalty = 1.3f},
      {.temperature = 1, .top_k = 20, .mirostat = 2, .seed = 7},
      {.temperature = 1, .top_k = 20, .dry_multiplier = 0.8f, .seed = 8},
      {.temperature = 0, .logit_bias = {{5, 3.0f}, {7, -std::numeric_limits<float>::infinity()}}},
  };
  std::vector<TokenId> prompt = GetParam().tokens;
  prompt.insert(prompt.end(), GetParam().tokens.begin(), GetParam().tokens.end());
  const auto small = load({.threads = 1});
  for (const uint32_t threads : {1u, 2u}) {
    const auto engine = load({.threads = threads});
    const auto draft = DraftModel::create(*engine, *small).value();
    for (size_t i = 0; i < params.size(); ++i) {
      const auto expected = text_from_rows(*engine, prompt, params[i], 40);
      for (const SpeculationOptions& speculation :
           {SpeculationOptions{}, SpeculationOptions{.lookup = true, .always = true},
            SpeculationOptions{.draft = draft.get(), .always = true}}) {
        GenerateOptions options;
        options.sampling = params[i];
        options.max_tokens = 40;
        options.ignore_stop_tokens = true;
        options.speculation = speculation;
        const auto sequence = engine->new_sequence().value();
        EXPECT_EQ(generate(*engine, *sequence, prompt, options, {}).value().tokens, expected)
            << "parameters " << i << ", " << threads << " threads";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, BestTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

/// A vocabulary large enough for several pieces of several panels, and no multiple of 16. Its rows are `different`
/// ones over and over, so that most logits are equal; the bias makes some of them no numbers, or infinite.
class Head {
 public:
  Head(std::string_view format_name, size_t different, float cap, bool odd) {
    const QuantFormat& format = *find_quant(format_name);
    std::mt19937 random(9);
    std::normal_distribution<float> normal(0.0f, 0.5f);
    const auto add = [&](const QuantFormat& as, size_t rows_apart) {
      std::vector<float> values(size_t{kVocabulary} * kWidth);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = i < rows_apart * kWidth ? normal(random) : values[i - rows_apart * kWidth];
      std::vector<std::byte>& bytes = storage_.emplace_back(as.bytes(values.size()));
      as.encode(values.data(), bytes.data(), values.size() / as.block_elements);
      return graph.add_matrix({std::string(as.name), &as, bytes.data(), kVocabulary, kWidth});
    };
    storage_.reserve(2);
    graph.vocabulary_size = kVocabulary;
    std::vector<float> bias(kVocabulary, 0.0f);
    for (size_t i = 0; odd && i < bias.size(); ++i)
      if (i % 7 < 3) bias[i] = std::vector{NAN, -INFINITY, i % 997 == 0 ? INFINITY : 0.0f}[i % 7];
    const ValueId x = graph.output_row(graph.embed(add(*find_quant("F32"), kVocabulary), 1.0f));
    graph.logits = graph.matmul(x, add(format, different), odd ? graph.add_vector(std::move(bias)) : -1);
    if (cap != 0) graph.logits = graph.scale(graph.logits, 1.0f, cap);
  }

  static constexpr uint32_t kVocabulary = 2503, kWidth = 256;
  Graph graph;

 private:
  std::vector<std::vector<std::byte>> storage_;
};

/// Of the last `wanted` of as many tokens as there may be: all logits, or the best.
std::vector<float> rows_of(Device& device, RunArgs args) {
  std::vector<float> logits(args.output_rows.size() * Head::kVocabulary);
  args.logits = logits.data();
  device.run(args);
  return logits;
}
std::vector<TokenLogit> best_of(Device& device, RunArgs args, uint32_t count) {
  std::vector<TokenLogit> best(args.output_rows.size() * count);
  args.best = best.data();
  args.best_count = count;
  device.run(args);
  return best;
}

void expect_best(Device& device, const Head& head) {
  Program program = compile(head.graph, cpu_plan_options(kMostBestRows, kMostBestRows, false));
  ASSERT_TRUE(program.logits_once);
  ASSERT_TRUE(device.prepare(head.graph, std::move(program)).ok());
  const SequenceRows sequence{kMostBestRows, 0, {}};
  std::vector<TokenId> tokens(kMostBestRows);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i * 131 % Head::kVocabulary);
  std::vector<uint32_t> wanted(kMostBestRows);
  std::iota(wanted.begin(), wanted.end(), 0u);
  for (const size_t rows : {1, 2, 3, 4, 5, 7, 8, 32}) {
    const RunArgs args{tokens, {&sequence, 1}, std::span(wanted).last(rows)};
    const std::vector<float> logits = rows_of(device, args);
    for (const uint32_t count : {1u, 40u, kMostBest}) {
      SCOPED_TRACE(testing::Message() << rows << " rows, " << count << " best");
      expect_same(best_of(device, args, count), best_of(logits, Head::kVocabulary, count));
    }
  }
}

TEST(BestOfAHead, OnEveryInstructionSetWithTiesAndWhatIsNoNumber) {
  struct Case {
    const char* format;
    size_t different;
    float cap;
    bool odd;
  };
  for (const Case& c :
       {Case{"Q4_0", 10, 2, true}, Case{"Q4_0", 1, 0, false}, Case{"Q4_0", Head::kVocabulary, 0, true},
        Case{"Q6_K", 10, 0, true}, Case{"Q6_K", Head::kVocabulary, 2, false}, Case{"F16", 10, 2, true}}) {
    const Head head(c.format, c.different, c.cap, c.odd);
    for (const IsaStatus& status : probe_isas({})) {
      if (!status.proven || (status.name == "scalar" && c.different != 1)) continue;
      SCOPED_TRACE(testing::Message() << c.format << ", " << c.different << " different, " << status.name);
      for (const uint32_t threads : {1u, 3u}) {
        CpuDevice device({.threads = threads, .kernels = find_kernels(status.name)});
        expect_best(device, head);
      }
    }
  }
}

TEST(BestOfAHead, OnTheNaiveDevice) {
  const Head head("Q4_0", 40, 2.0f, true);
  NaiveDevice device;
  expect_best(device, head);
}

// The device is asked for the best where one product makes the logits and they are nobody else's.
TEST(LogitsOnce, WhereOneProductWritesThemAndNothingReadsThem) {
  const auto once = [](const Graph& graph, bool fuse = true, std::vector<ValueId> keep = {}) {
    PlanOptions options = cpu_plan_options(4, 4, false);
    options.fuse = fuse;
    options.keep = std::move(keep);
    return compile(graph, options).logits_once;
  };
  Head plain("Q4_0", 1, 0, false), capped("Q4_0", 1, 2, false);
  EXPECT_TRUE(once(plain.graph));
  EXPECT_TRUE(once(plain.graph, false));
  EXPECT_FALSE(once(plain.graph, true, {plain.graph.logits})) << "somebody reads them after the run";
  EXPECT_TRUE(once(capped.graph));
  EXPECT_FALSE(once(capped.graph, false)) << "the cap is a kernel of its own";
  Graph& graph = plain.graph;
  const ValueId product = graph.logits, x = graph.ops.back().inputs[0];
  graph.logits = graph.add(product, graph.matmul(x, 1));
  EXPECT_FALSE(once(graph)) << "two products, as of an adapter";
  graph.logits = graph.matmul(0, 1);
  EXPECT_FALSE(once(graph)) << "of every token";
  graph.logits = graph.rms_norm(product, -1, 1e-6f);
  EXPECT_FALSE(once(graph)) << "no product";
  graph.logits = product;
  EXPECT_FALSE(once(graph)) << "others read them";
}

}  // namespace
}  // namespace ingle::core
