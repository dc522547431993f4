// Reading /proc.
#include "cli/system.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "cli/memory_group.h"

namespace ingle::cli {

std::optional<uint64_t> read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::optional<uint64_t> read_field(const std::filesystem::path& path, std::string_view key) {
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

uint64_t free_memory_bytes() {
  const uint64_t free = read_field("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
  const auto group = group_memory();
  return group ? std::min(free, group->free_bytes) : free;
}

uint64_t total_memory_bytes() {
  const uint64_t total = read_field("/proc/meminfo", "MemTotal:").value_or(0) * 1024;
  const auto group = group_memory();
  return group ? std::min(total, group->limit_bytes) : total;
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
