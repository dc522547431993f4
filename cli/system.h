// What Linux says about memory and the processor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ingle::cli {

/// A number from a file such as memory.max; nothing where the file is absent or says "max".
std::optional<uint64_t> read_number(const std::filesystem::path& path);
/// The value of `key` in files that consist of "key value" lines.
std::optional<uint64_t> read_field(const std::filesystem::path& path, std::string_view key);

/// MemAvailable of /proc/meminfo, bounded by what control groups leave, in bytes; 0 where unknown.
uint64_t free_memory_bytes();
uint64_t total_memory_bytes();
/// The resident set of this process now (VmRSS), in bytes.
uint64_t resident_memory_bytes();
/// The largest resident set of this process so far (VmHWM), in bytes. getrusage would count what the parent had.
uint64_t peak_memory_bytes();

/// "AMD EPYC 9R14"; empty where unknown.
std::string processor_name();

}  // namespace ingle::cli
