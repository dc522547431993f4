// Reading /proc and the control group.
#include "cli/system.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace ingle::cli {
namespace {

/// A number from a file such as memory.max; nothing where the file is absent or says "max".
std::optional<uint64_t> read_number(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The value of `key` in files that consist of "key value" lines.
std::optional<uint64_t> read_field(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key)) continue;
    std::istringstream rest(line.substr(key.size()));
    uint64_t value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

uint64_t free_memory_bytes() {
  const uint64_t kib = read_field("/proc/meminfo", "MemAvailable:").value_or(0);
  uint64_t free = kib * 1024;
  // In a container the control group's limit counts, less what is used; cached file pages can be dropped.
  const auto limit = read_number("/sys/fs/cgroup/memory.max");
  const auto used = read_number("/sys/fs/cgroup/memory.current");
  if (limit && used) {
    const uint64_t cache = read_field("/sys/fs/cgroup/memory.stat", "inactive_file ").value_or(0);
    const uint64_t taken = *used > cache ? *used - cache : 0;
    const uint64_t left = *limit > taken ? *limit - taken : 0;
    free = std::min(free, left);
  }
  return free;
}

uint64_t total_memory_bytes() {
  uint64_t total = read_field("/proc/meminfo", "MemTotal:").value_or(0) * 1024;
  if (const auto limit = read_number("/sys/fs/cgroup/memory.max")) total = std::min(total, *limit);
  return total;
}

uint64_t resident_memory_bytes() {
  return read_field("/proc/self/status", "VmRSS:").value_or(0) * 1024;
}

uint64_t peak_memory_bytes() {
  return read_field("/proc/self/status", "VmHWM:").value_or(0) * 1024;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    return colon == std::string::npos ? std::string() : line.substr(colon + 2);
  }
  return {};
}

}  // namespace ingle::cli
