// Matrix products on one thread, as the engine calls them: formats, numbers of rows, shapes of Qwen2.5-1.5B.
// INGLE_BENCH_ISA names an instruction set; else the best one. Reports multiply-adds per second.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>

#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/pack.h"

namespace ingle::core {
namespace {

constexpr uint32_t kWeightRows = 512;

template <typename T>
class Aligned {
 public:
  explicit Aligned(size_t count)
      : memory_(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {}
  T* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> memory_;
};

const Kernels& kernels() {
  static const Kernels* const chosen = [] {
    const char* name = std::getenv("INGLE_BENCH_ISA");
    return *choose_kernels(name != nullptr ? name : "", {});
  }();
  return *chosen;
}

void multiply(benchmark::State& state, const char* format_name, bool gated) {
  const auto rows = static_cast<size_t>(state.range(0));
  const auto columns = static_cast<uint32_t>(state.range(1));
  const QuantFormat& format = *find_quant(format_name);
  std::vector<std::byte> weights(format.bytes(uint64_t{kWeightRows} * columns));
  std::mt19937 random(1);
  for (std::byte& byte : weights) byte = static_cast<std::byte>(random() & 0x3f);  // scales stay finite
  const MatrixSource source{"w", &format, weights.data(), kWeightRows, columns};
  PackedMatrix matrix = plan_packed(source);
  const Aligned<std::byte> packed(packed_bytes(matrix));
  matrix.data = packed.get();
  pack_panels(source, matrix, 0, matrix.panels());

  std::vector<float> x(columns);
  for (float& value : x) value = std::normal_distribution<float>()(random);
  const Aligned<ActivationGroup> activations(rows * columns / kGroup);
  for (size_t r = 0; r < rows; ++r)
    kernels().quantize_row(x.data(), columns, activations.get() + r * (columns / kGroup));
  const Aligned<float> out(rows * kWeightRows);
  const Aligned<std::byte> scratch(matmul_scratch_bytes(columns));
  MatmulArgs args;
  args.weight = &matrix;
  if (gated) args.gate = &matrix;
  args.quantized = activations.get();
  args.rows = rows;
  args.out = out.get();
  args.out_stride = kWeightRows;
  for (auto _ : state) {
    kernels().matmul(kernels(), args, 0, matrix.panels(), scratch.get());
    benchmark::ClobberMemory();
  }
  state.counters["MAC"] = benchmark::Counter(static_cast<double>(rows) * kWeightRows * columns * (gated ? 2 : 1),
                                             benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  for (const int64_t columns : {1536, 8960})
    for (const int64_t rows : {1, 8, 16, 512}) benchmark->Args({rows, columns});
}

BENCHMARK_CAPTURE(multiply, Q4_K, "Q4_K", false)->Apply(shapes);
BENCHMARK_CAPTURE(multiply, Q5_0, "Q5_0", false)->Apply(shapes);
BENCHMARK_CAPTURE(multiply, Q6_K, "Q6_K", false)->Apply(shapes);
BENCHMARK_CAPTURE(multiply, Q8_0, "Q8_0", false)->Apply(shapes);
BENCHMARK_CAPTURE(multiply, Q4_1, "Q4_1", false)->Apply(shapes);
BENCHMARK_CAPTURE(multiply, Q4_K_gated, "Q4_K", true)->Apply(shapes);

}  // namespace
}  // namespace ingle::core
