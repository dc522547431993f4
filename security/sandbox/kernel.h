// What the running kernel can enforce, and how to say it to a person.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingle::security {

/// The kernel's means. A test may state an older kernel than the one that runs.
struct Kernel {
  int landlock = 0;              ///< version of Landlock's interface, 1 and up; 0: none
  std::string landlock_problem;  ///< why there is none; empty where there is
  bool filter = false;           ///< system call filters (seccomp) that name what they stopped
  bool close_range = false;      ///< closing ranges of descriptors, and at exec (Linux 5.11); launch() needs it
};

/// Asks the kernel. Changes nothing, opens nothing.
Kernel probe_kernel();

/// One thing that a confined process can't do, and who sees to it.
struct Protection {
  std::string_view what;  ///< "files that it was not given"
  bool enforced = false;
  std::string by;  ///< "Landlock 7", "system call filter", or why nobody does
};

/// All protections of a process that confine_self() closed, in a fixed order; for `ingle doctor`.
std::vector<Protection> describe(const Kernel& kernel);

/// What `kernel` lacks of what launch() and confine_self() set up, one line each; empty where nothing is lacking. Parts
/// of Landlock that an old kernel misses and the system call filter covers are not lacking.
std::vector<std::string> missing_on(const Kernel& kernel);

}  // namespace ingle::security
