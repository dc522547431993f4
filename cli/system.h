// What Linux says about memory and the processor.
#pragma once

#include <cstdint>
#include <string>

namespace ingle::cli {

/// MemAvailable of /proc/meminfo, bounded by the control group's limit, in bytes; 0 where unknown.
uint64_t free_memory_bytes();
uint64_t total_memory_bytes();
/// The resident set of this process now (VmRSS), in bytes.
uint64_t resident_memory_bytes();
/// The largest resident set of this process so far (VmHWM), in bytes. getrusage would count what the parent had.
uint64_t peak_memory_bytes();

/// "AMD EPYC 9R14"; empty where unknown.
std::string processor_name();

}  // namespace ingle::cli
