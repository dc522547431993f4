// https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html
#include "cli/memory_group.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

#include "cli/system.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;

/// A version's files and where they are.
struct Version {
  std::string_view folder;  ///< below the mount
  std::string_view limit, used, active, inactive;
};
// In version 1, those of memory.stat that begin with "total_" include the groups within.
constexpr Version kFirst{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file ",
                         "total_inactive_file "};
constexpr Version kSecond{"", "memory.max", "memory.current", "active_file ", "inactive_file "};

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

/// Whether a list such as "cpu,memory" has memory in it.
bool has_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::optional<GroupMemory> group_memory(const fs::path& mount, const fs::path& self) {
  std::optional<GroupMemory> least;
  std::ifstream file(self);
  for (std::string line; std::getline(file, line);) {  // "4:cpu,memory:/a/b"; version 2: "0::/a/b"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (!controllers.empty() && !has_memory(controllers)) continue;
    const Version& version = controllers.empty() ? kSecond : kFirst;
    const fs::path root = mount / version.folder;
    fs::path path = fs::path(line.substr(second + 1)).relative_path();
    for (; !path.empty(); path = path.parent_path()) narrow(least, root / path, version);
    narrow(least, root, version);
  }
  return least;
}

}  // namespace ingle::cli
