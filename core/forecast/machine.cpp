#include "core/forecast/machine.h"

#include <sys/mman.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/backends/cpu/cores.h"
#include "core/backends/cpu/isa.h"
#include "core/backends/cpu/limits.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

constexpr int kVersion = 1;
constexpr size_t kMostEntries = 16;
constexpr int64_t kDay = 24 * 3600;
constexpr uint64_t kMostFileBytes = 1 << 16;

std::filesystem::path file_in(const std::filesystem::path& cache_folder) {
  return cache_folder / "limits.json";
}

/// Memory that no device has.
class PlainMemory final : public HardwareOps {
 public:
  Result<std::byte*> allocate(uint64_t bytes) override {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return Error{ErrorCode::out_of_memory, "no memory to measure the machine with"};
    return static_cast<std::byte*>(memory);
  }
  void deallocate(std::byte* memory, uint64_t bytes) override { ::munmap(memory, bytes); }
  void execute_kernel(const KernelDesc*) override {}
  void sync_device() override {}
};

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const size_t colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return "unknown processor";
}

uint32_t threads_of(const EngineOptions& options) {
  return options.threads != 0 ? options.threads : default_threads();
}

Json to_json(const std::string& machine, const MachineLimits& limits, int64_t now) {
  return {{"machine", machine},
          {"measured_at", now},
          {"bytes_per_second", limits.large_bytes},
          {"byte_products", limits.byte_products},
          {"float_products", limits.float_products},
          {"tile_products", limits.tile_products}};
}

/// Empty where the file is not there, damaged or of another version.
Json read_entries(const std::filesystem::path& cache_folder) {
  if (cache_folder.empty()) return Json::array();
  const auto text = base::read_file(file_in(cache_folder), kMostFileBytes);
  if (!text) return Json::array();
  const auto json = base::parse_json(*text);
  if (!json || !json->is_object() || json->value("version", Json()) != kVersion || !json->contains("entries") ||
      !(*json)["entries"].is_array() || json->value("checksum", Json()) != base::hash64_hex((*json)["entries"].dump()))
    return Json::array();
  return (*json)["entries"];
}

bool is_of(const Json& entry, const std::string& machine) {
  return entry.is_object() && entry.value("machine", Json()) == machine;
}

}  // namespace

Result<std::string> machine_key(const EngineOptions& options) {
  INGLE_TRY(const Kernels* kernels, choose_kernels(options.isa, options.cache_folder));
  return processor() + ", " + std::to_string(threads_of(options)) + " threads, " + std::string(kernels->name);
}

Result<MachineLimits> measure_machine(const EngineOptions& options) {
  INGLE_TRY(const Kernels* kernels, choose_kernels(options.isa, options.cache_folder));
  const uint32_t threads = threads_of(options);
  std::vector<CpuSet> places;
  if (CpuSet fast = fast_enough(usable_cores(), threads); !fast.empty()) places.push_back(std::move(fast));
  Workers workers(threads, places);
  PlainMemory memory;
  const uint64_t bytes = std::min(uint64_t{512} << 20, std::max(available_memory() / 8, uint64_t{1} << 20));
  return measure_limits(workers, limit_loops(kernels->name), memory, {}, bytes);
}

std::optional<KeptLimits> kept_limits(const std::filesystem::path& cache_folder, const std::string& machine) {
  for (const Json& entry : read_entries(cache_folder)) {
    if (!is_of(entry, machine)) continue;
    MachineLimits limits;
    const auto read = [&](const char* name, double& into) {
      if (!entry.contains(name) || !entry[name].is_number()) return false;
      into = entry[name].get<double>();
      return into >= 0;
    };
    const bool whole = read("bytes_per_second", limits.large_bytes) && read("byte_products", limits.byte_products) &&
                       read("float_products", limits.float_products) && read("tile_products", limits.tile_products);
    const int64_t age = std::time(nullptr) - (entry.contains("measured_at") && entry["measured_at"].is_number_integer()
                                                  ? entry["measured_at"].get<int64_t>()
                                                  : 0);
    if (whole && limits.large_bytes > 0 && limits.float_products > 0) return KeptLimits{limits, age < 0 || age > kDay};
  }
  return std::nullopt;
}

Result<MachineLimits> keep_limits(const std::filesystem::path& cache_folder, const std::string& machine,
                                  const MachineLimits& limits, int64_t now) {
  MachineLimits best = limits;
  if (const auto before = kept_limits(cache_folder, machine)) {
    best.large_bytes = std::max(best.large_bytes, before->limits.large_bytes);
    best.byte_products = std::max(best.byte_products, before->limits.byte_products);
    best.float_products = std::max(best.float_products, before->limits.float_products);
    best.tile_products = std::max(best.tile_products, before->limits.tile_products);
  }
  Json entries = Json::array({to_json(machine, best, now)});
  for (const Json& entry : read_entries(cache_folder))
    if (!is_of(entry, machine) && entries.size() < kMostEntries) entries.push_back(entry);
  std::error_code failure;
  std::filesystem::create_directories(cache_folder, failure);  // writing says what is wrong
  const Json file = {{"version", kVersion}, {"checksum", base::hash64_hex(entries.dump())}, {"entries", entries}};
  INGLE_CHECK(base::write_file_atomic(file_in(cache_folder), file.dump(1) + "\n"));
  return best;
}

Result<MachineLimits> limits_here(const EngineOptions& options) {
  INGLE_TRY(const std::string machine, machine_key(options));
  if (const auto kept = kept_limits(options.cache_folder, machine); kept && !kept->old) return kept->limits;
  INGLE_TRY(const MachineLimits limits, measure_machine(options));
  if (options.cache_folder.empty()) return limits;
  // Where it can't be kept, it is measured again the next time.
  const auto best = keep_limits(options.cache_folder, machine, limits, std::time(nullptr));
  return best ? *best : limits;
}

}  // namespace ingle::core
