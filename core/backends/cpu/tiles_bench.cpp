// Matrix products on a tile unit, on one thread, beside what the unit does without loading or storing anything, which
// is measured right before and after each product: `of_peak` is the best, `median` the middle one, in per cent.
// Where other threads use the same core a product with loads takes four times as long, the loop without them as long
// as ever; `shared` counts the products for which that was so just after, and which are left out.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/clock.h"
#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/pack.h"
#include "core/simd/vocabulary.h"

#if defined(__x86_64__)
#include "core/simd/region_amx.h"
namespace ingle::core {
namespace {

constexpr double kTileProduct = 16.0 * 16 * 32;  // multiply-adds

// Multiply-adds per nanosecond of `count` products by four, with or without the loads they need from the nearest cache.
double tile_rate(size_t count, bool load) {
  alignas(64) static uint16_t operands[4][kTileValues];
  amx::TileUnit unit;
  const int64_t start = base::monotonic_ns();
  for (size_t i = 0; i < count; ++i) {
    if (load) {
      unit.load<4>(operands[0]);
      unit.load<5>(operands[1]);
      unit.load<6>(operands[2]);
      unit.load<7>(operands[3]);
    }
    unit.add_products<0, 4, 6>();
    unit.add_products<1, 4, 7>();
    unit.add_products<2, 5, 6>();
    unit.add_products<3, 5, 7>();
  }
  return 4.0 * kTileProduct * static_cast<double>(count) / static_cast<double>(base::monotonic_ns() - start);
}

// Memory in huge pages, as the engine has it.
template <typename T>
class Huge {
 public:
  explicit Huge(size_t count) : bytes_((count * sizeof(T) + kPage - 1) / kPage * kPage + kPage) {
    memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory_, bytes_, MADV_HUGEPAGE);
  }
  ~Huge() { ::munmap(memory_, bytes_); }
  Huge(const Huge&) = delete;
  Huge& operator=(const Huge&) = delete;
  T* get() const { return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_) + kPage - 1) / kPage * kPage); }

 private:
  static constexpr size_t kPage = size_t{2} << 20;
  size_t bytes_;
  void* memory_;
};

struct Shape {
  const char* format;
  uint32_t rows, columns;
  bool gated = false;
  bool cold = false;  ///< weights come from memory, as in a model
};

// A product of random weights; its numbers mean nothing.
class Product {
 public:
  Product(const Kernels& kernels, const Shape& shape, size_t tokens)
      : kernels_(kernels),
        cold_(shape.cold),
        panels_(shape.rows / kPanelRows),
        tiles_(tokens * shape.columns),
        out_(tokens * shape.rows),
        scratch_(tile_scratch_bytes()) {
    const QuantFormat& format = *find_quant(shape.format);
    std::vector<std::byte> encoded(format.bytes(uint64_t{shape.rows} * shape.columns));
    std::mt19937 random(1);
    for (std::byte& byte : encoded) byte = static_cast<std::byte>(random() & 0x3f);  // scales stay finite
    const MatrixSource source{"w", &format, encoded.data(), shape.rows, shape.columns};
    for (PackedMatrix* matrix : {&matrix_, &gate_}) {
      *matrix = plan_packed(source);
      packed_.push_back(std::make_unique<Huge<std::byte>>(packed_bytes(*matrix)));
      matrix->data = packed_.back()->get();
      pack_panels(source, *matrix, 0, matrix->panels());
    }
    std::vector<float> x(shape.columns);
    for (float& value : x) value = std::normal_distribution<float>()(random);
    for (size_t r = 0; r < tokens; ++r) kernels.store_tile_row(x.data(), x.size(), x.size(), r, 0, tiles_.get());
    args_.weight = &matrix_;
    args_.gate = shape.gated ? &gate_ : nullptr;
    args_.tiles = tiles_.get();
    args_.rows = tokens;
    args_.out = out_.get();
    args_.out_stride = shape.rows;
    if (shape.gated) args_.tiles_out = reinterpret_cast<uint16_t*>(out_.get());  // as in a model
    products_ = static_cast<double>(tokens) * shape.rows * shape.columns * (shape.gated ? 2 : 1);
  }
  /// Multiply-adds per nanosecond.
  double run() const {
    if (cold_)
      for (const auto& packed : packed_)
        for (size_t i = 0; i < panels_ * matrix_.panel_bytes; i += 64) _mm_clflush(packed->get() + i);
    const int64_t start = base::monotonic_ns();
    for (size_t panel = 0; panel < panels_; panel += 16)
      kernels_.matmul_tiles(kernels_, args_, panel, std::min(panels_, panel + 16), scratch_.get());
    return products_ / static_cast<double>(base::monotonic_ns() - start);
  }

 private:
  const Kernels& kernels_;
  bool cold_;
  size_t panels_;
  Huge<uint16_t> tiles_;
  Huge<float> out_;
  Huge<std::byte> scratch_;
  std::vector<std::unique_ptr<Huge<std::byte>>> packed_;
  PackedMatrix matrix_, gate_;
  MatmulArgs args_;
  double products_ = 0;
};

// Null where there is no tile unit.
const Kernels* tile_kernels() {
  static const Kernels* const kernels = [] {
    const auto chosen = choose_kernels("amx", {});
    return chosen.ok() ? *chosen : nullptr;
  }();
  return kernels;
}

void tiles(benchmark::State& state, const Shape& shape) {
  if (tile_kernels() == nullptr) return state.SkipWithError("no tile unit here");
  const Product product(*tile_kernels(), shape, static_cast<size_t>(state.range(0)));
  product.run();
  std::vector<double> rates;
  double best_rate = 0, shared = 0;
  for (auto _ : state) {
    const double before = tile_rate(2000, false);
    const double rate = product.run();
    const double peak = std::max(before, tile_rate(2000, false));
    if (tile_rate(200, true) < 0.6 * peak) {
      ++shared;
      continue;
    }
    rates.push_back(100 * rate / peak);
    best_rate = std::max(best_rate, rate);
  }
  std::sort(rates.begin(), rates.end());
  state.counters["of_peak"] = rates.empty() ? 0 : rates.back();
  state.counters["median"] = rates.empty() ? 0 : rates[rates.size() / 2];
  state.counters["GMAC"] = best_rate;
  state.counters["shared"] = shared;
}

// The shapes of Qwen2.5-1.5B and SmolLM2-135M.
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_1536_cold, Shape{"Q4_K", 1536, 1536, false, true})->Arg(512)->Iterations(30);
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_8960_gated_cold, Shape{"Q4_K", 8960, 1536, true, true})->Arg(512)->Iterations(10);
BENCHMARK_CAPTURE(tiles, Q6_K_8960_to_1536_cold, Shape{"Q6_K", 1536, 8960, false, true})->Arg(512)->Iterations(15);
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_1536, Shape{"Q4_K", 1536, 1536})->Arg(512)->Iterations(30);
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_256, Shape{"Q4_K", 256, 1536})->Arg(512)->Iterations(30);
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_8960_gated, Shape{"Q4_K", 8960, 1536, true})->Arg(512)->Iterations(10);
BENCHMARK_CAPTURE(tiles, Q4_K_8960_to_1536, Shape{"Q4_K", 1536, 8960})->Arg(512)->Iterations(15);
BENCHMARK_CAPTURE(tiles, Q6_K_8960_to_1536, Shape{"Q6_K", 1536, 8960})->Arg(512)->Iterations(15);
BENCHMARK_CAPTURE(tiles, Q8_0_1536_to_1536, Shape{"Q8_0", 1536, 1536})->Arg(512)->Iterations(30);
BENCHMARK_CAPTURE(tiles, Q4_1_576_to_576, Shape{"Q4_1", 576, 576})->Arg(512)->Iterations(60);
BENCHMARK_CAPTURE(tiles, Q4_1_576_to_1536_gated, Shape{"Q4_1", 1536, 576, true})->Arg(512)->Iterations(60);
BENCHMARK_CAPTURE(tiles, Q4_K_1536_to_1536_few, Shape{"Q4_K", 1536, 1536})->Arg(32)->Arg(64)->Arg(128)->Iterations(30);

}  // namespace
}  // namespace ingle::core
#include "core/simd/region_end.h"
#endif
