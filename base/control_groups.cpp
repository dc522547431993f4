// https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/cgroups.html
#include "base/control_groups.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace ingle::base {
namespace {

namespace fs = std::filesystem;

// Whether a list such as "cpu,memory" has the word in it.
bool has(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::vector<ControlGroup> control_groups(std::string_view controller, const fs::path& mount, const fs::path& self) {
  std::vector<ControlGroup> groups;
  std::ifstream file(self);
  for (std::string line; std::getline(file, line);) {  // "4:cpu,memory:/a/b"; version 2: "0::/a/b"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (!controllers.empty() && !has(controllers, controller)) continue;
    const int version = controllers.empty() ? 2 : 1;
    const fs::path root = version == 2 ? mount : mount / controller;
    fs::path path = fs::path(line.substr(second + 1)).relative_path();
    // A group beyond the root that the process is shown.
    if (std::ranges::find(path, fs::path("..")) != path.end()) path.clear();
    for (; !path.empty(); path = path.parent_path()) groups.push_back({root / path, version});
    groups.push_back({root, version});
  }
  return groups;
}

}  // namespace ingle::base
