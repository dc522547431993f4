// How fast attention is, of one thread: some tokens of heads that share a key-value head, over a context that the
// second-level cache holds. In multiply-adds of scores and sums together.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/backends/cpu/isa.h"
#include "core/kernels/kernels.h"

namespace ingle::core {
namespace {

struct alignas(64) Line {
  std::byte bytes[64];
};

void attend(benchmark::State& state, bool tiled, KvFormat format, uint32_t head_dim, uint32_t group, uint32_t tokens) {
  const Kernels& kernels = **choose_kernels("", std::filesystem::temp_directory_path());
  constexpr uint32_t kLength = 1024;
  const size_t page = kv_layer_bytes(format, 1, head_dim);
  std::vector<Line> memory(kLength / kPagePositions * page / sizeof(Line) + 1);
  std::vector<std::byte*> pages;
  for (size_t i = 0; i < kLength / kPagePositions; ++i) pages.push_back(memory.front().bytes + i * page);
  const KvView kv{format, head_dim, pages.data(), 0};
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> k(head_dim), v(head_dim), q(size_t{tokens} * group * head_dim), out(q.size());
  for (uint32_t position = 0; position < kLength; ++position) {
    for (float& x : k) x = normal(random);
    for (float& x : v) x = normal(random);
    kernels.store_kv(kv, 0, position, k.data(), v.data(), position % kPagePositions == 0 ? k.data() : nullptr);
  }
  for (float& x : q) x = normal(random);
  const size_t stride = size_t{group} * head_dim;
  const AttentionArgs args{q.data(), stride, out.data(), stride, kv, group, 1, kLength - tokens, 0.125f, 0, 0, 0.0f};
  const size_t scratch_bytes = tiled ? attention_tile_scratch_bytes(head_dim) : attention_scratch_bytes(head_dim);
  std::vector<Line> scratch(scratch_bytes / sizeof(Line) + 1);
  for (auto _ : state) {
    if (tiled)
      kernels.attention_tiles(kernels, args, 0, 0, size_t{tokens} * group, scratch.front().bytes);
    else
      kernels.attention(args, 0, 0, size_t{tokens} * group, scratch.front().bytes);
    benchmark::ClobberMemory();
  }
  state.counters["MAC/s"] =
      benchmark::Counter(2.0 * kLength * head_dim * tokens * group, benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
  constexpr std::pair<const char*, KvFormat> formats[] = {
      {"f16", KvFormat::f16}, {"q8_0", KvFormat::q8_0}, {"q4_0", KvFormat::q4_0}};
  struct Shape {
    uint32_t head_dim, group, tokens;
  };
  const auto add = [&](bool tiled, const Shape& shape) {
    for (const auto& [name, format] : formats)
      benchmark::RegisterBenchmark(
          ((tiled ? "attend_tiles/" : "attend/") + std::string(name) + "/" + std::to_string(shape.head_dim) + "x" +
           std::to_string(shape.group) + "/" + std::to_string(shape.tokens))
              .c_str(),
          attend, tiled, format, shape.head_dim, shape.group, shape.tokens);
  };
  for (const Shape shape : {Shape{64, 3, 8}, Shape{128, 6, 4}, Shape{256, 4, 6}, Shape{64, 3, 1}, Shape{128, 6, 1}})
    add(false, shape);
  const auto kernels = choose_kernels("", std::filesystem::temp_directory_path());
  if (kernels.ok() && (*kernels)->attention_tiles != nullptr)
    for (const Shape shape : {Shape{64, 3, 42}, Shape{128, 6, 21}, Shape{256, 4, 32}}) add(true, shape);
  return true;
}();

}  // namespace
}  // namespace ingle::core
