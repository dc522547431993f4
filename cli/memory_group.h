// Linux's control groups for memory, of version 1 and 2: what bounds this process beside the machine's memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ingle::cli {

struct GroupMemory {
  uint64_t limit_bytes = 0, free_bytes = 0;
};

/// The least of what the process's group and those around it allow and have left; nothing where none has a limit.
/// Cached file pages count as free, as in MemAvailable: they can be dropped. `mount` and `self` as control_groups()
/// says.
std::optional<GroupMemory> group_memory(const std::filesystem::path& mount = "/sys/fs/cgroup",
                                        const std::filesystem::path& self = "/proc/self/cgroup");

}  // namespace ingle::cli
