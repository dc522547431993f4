// One step of sampling over vocabularies of Qwen's and Gemma's size.
#include <benchmark/benchmark.h>

#include "core/sampling/random.h"
#include "core/sampling/sampler.h"

namespace ingle::core {
namespace {

void sample(benchmark::State& state, const SamplingParams& params) {
  const auto size = static_cast<size_t>(state.range(0));
  Random random(1);
  std::vector<float> logits(size);
  for (float& logit : logits) {  // near normal: the sum of four uniforms
    logit = static_cast<float>(4 * (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2));
  }
  for (size_t i = 0; i < 20; ++i) logits[i * 997] += 16 - 0.3f * static_cast<float>(i);  // and a few likely ones
  const auto sampler = make_sampler(params, static_cast<uint32_t>(size));
  std::vector<float> scratch = logits;
  for (auto _ : state) benchmark::DoNotOptimize(sampler->sample(scratch));
}

#define INGLE_SAMPLE_BENCH(name, ...) \
  BENCHMARK_CAPTURE(sample, name, SamplingParams{__VA_ARGS__})->Arg(151936)->Arg(262144)->Unit(benchmark::kMicrosecond)
INGLE_SAMPLE_BENCH(greedy, .temperature = 0);
INGLE_SAMPLE_BENCH(top_k_40, .top_k = 40);
INGLE_SAMPLE_BENCH(top_k_40_top_p, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f);
INGLE_SAMPLE_BENCH(temperature, .temperature = 0.8f);
INGLE_SAMPLE_BENCH(top_p, .top_p = 0.9f);
INGLE_SAMPLE_BENCH(min_p, .min_p = 0.05f);
INGLE_SAMPLE_BENCH(typical, .typical_p = 0.5f);
INGLE_SAMPLE_BENCH(mirostat, .mirostat = 2);

}  // namespace
}  // namespace ingle::core
