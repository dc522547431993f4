// Linux's control groups, of version 1 and 2: where the files are that say what bounds this process.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace ingle::base {

struct ControlGroup {
  std::filesystem::path folder;
  int version;  ///< 1 or 2, which name their files differently
};

/// The process's group and those around it, from the inside out, that may have files of `controller` ("memory", "cpu").
/// `mount` is where the groups' files are, `self` what says which group the process is in. A container may not see the
/// outer groups' files; its own are at `mount` then.
std::vector<ControlGroup> control_groups(std::string_view controller,
                                         const std::filesystem::path& mount = "/sys/fs/cgroup",
                                         const std::filesystem::path& self = "/proc/self/cgroup");

}  // namespace ingle::base
