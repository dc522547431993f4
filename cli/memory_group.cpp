// https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html
#include "cli/memory_group.h"

#include <algorithm>
#include <string_view>

#include "base/control_groups.h"
#include "cli/system.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;

/// A version's files.
struct Version {
  std::string_view limit, used, active, inactive;
};
// In version 1, those of memory.stat that begin with "total_" include the groups within.
constexpr Version kFirst{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file ",
                         "total_inactive_file "};
constexpr Version kSecond{"memory.max", "memory.current", "active_file ", "inactive_file "};

void narrow(std::optional<GroupMemory>& least, const fs::path& group, const Version& version) {
  const auto limit = read_number(group / version.limit), used = read_number(group / version.used);
  // Version 1 says "no limit" by a number larger than any memory.
  if (!limit || !used || *limit >= uint64_t{1} << 60) return;
  const fs::path stat = group / "memory.stat";
  const uint64_t cached = read_field(stat, version.active).value_or(0) + read_field(stat, version.inactive).value_or(0);
  const uint64_t taken = *used - std::min(*used, cached);
  const uint64_t left = *limit - std::min(*limit, taken);
  if (!least) least = {*limit, left};
  least->limit_bytes = std::min(least->limit_bytes, *limit);
  least->free_bytes = std::min(least->free_bytes, left);
}

}  // namespace

std::optional<GroupMemory> group_memory(const fs::path& mount, const fs::path& self) {
  std::optional<GroupMemory> least;
  for (const base::ControlGroup& group : base::control_groups("memory", mount, self))
    narrow(least, group.folder, group.version == 2 ? kSecond : kFirst);
  return least;
}

}  // namespace ingle::cli
