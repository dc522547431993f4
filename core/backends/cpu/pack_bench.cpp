// Packing a matrix of a 1.5B model's shape, one thread, in bytes of the file a second.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "core/backends/cpu/pack.h"

namespace ingle::core {
namespace {

void pack(benchmark::State& state, const QuantFormat& format) {
  constexpr uint32_t kRows = 1536, kColumns = 8960;
  std::vector<std::byte> bytes(format.bytes(uint64_t{kRows} * kColumns));
  std::mt19937 random(5);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  const MatrixSource source{"w", &format, bytes.data(), kRows, kColumns};
  PackedMatrix matrix = plan_packed(source);
  std::vector<std::byte> storage(packed_bytes(matrix));
  matrix.data = storage.data();
  for (auto _ : state) {
    pack_panels(source, matrix, 0, matrix.panels());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

const bool registered = [] {
  for (const QuantFormat* format : all_quants()) {
    const auto run = [format](benchmark::State& state) { pack(state, *format); };
    benchmark::RegisterBenchmark(("pack/" + std::string(format->name)).c_str(), run)->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace ingle::core
