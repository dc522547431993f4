// Landlock's versions: 1 files (Linux 5.13), 2 renames between folders (5.19), 3 truncation (6.2), 4 TCP ports (6.7),
// 5 ioctl on devices (6.10), 6 scopes: abstract sockets and signals (6.12), 7 says what it logs (6.15).
// https://docs.kernel.org/userspace-api/landlock.html, https://docs.kernel.org/userspace-api/seccomp_filter.html
#include "security/sandbox/kernel.h"

#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <system_error>

#include "security/sandbox/landlock.h"

namespace ingle::security {
namespace {

bool filter_knows(unsigned action) {
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::string landlock_name(int version) {
  return "Landlock " + std::to_string(version);
}

constexpr const char* kFilter = "system call filter";

}  // namespace

Kernel probe_kernel() {
  Kernel kernel;
  kernel.landlock = landlock_version();
  if (kernel.landlock < 0) {
    // Built in but not listed in the kernel's lsm= reads as EOPNOTSUPP, not built in as ENOSYS.
    const int code = -kernel.landlock;
    kernel.landlock = 0;
    kernel.landlock_problem =
        code == EOPNOTSUPP ? "Landlock is switched off on this kernel (lsm=)"
        : code == ENOSYS   ? "this kernel has no Landlock (Linux 5.13 and later have)"
                           : "Landlock is not to be had: " + std::error_code(code, std::generic_category()).message();
  }
  kernel.filter = filter_knows(SECCOMP_RET_TRAP) && filter_knows(SECCOMP_RET_KILL_PROCESS);
  // An empty range of descriptors that can't be open.
  kernel.close_range = ::syscall(SYS_close_range, UINT_MAX - 1, UINT_MAX - 1, CLOSE_RANGE_CLOEXEC) == 0;
  return kernel;
}

std::vector<Protection> describe(const Kernel& kernel) {
  const auto landlock_from = [&](std::string_view what, int version) {
    if (kernel.landlock >= version) return Protection{what, true, landlock_name(kernel.landlock)};
    if (kernel.filter) return Protection{what, true, kFilter};
    return Protection{what, false, "needs Landlock " + std::to_string(version)};
  };
  Protection files{"files that it was not given", kernel.landlock >= 1, landlock_name(kernel.landlock)};
  if (!files.enforced) files.by = kernel.landlock_problem;
  const std::string none = "this kernel filters no system calls (seccomp)";
  const auto filtered = [&](std::string_view what) {
    return Protection{what, kernel.filter, kernel.filter ? kFilter : none};
  };
  return {
      files,
      landlock_from("truncating files by name", 3),
      landlock_from("TCP connections", 4),
      landlock_from("commands to devices", 5),
      landlock_from("abstract sockets", 6),
      landlock_from("signals to other processes", 6),
      filtered("sockets of any kind"),
      filtered("starting processes"),
      filtered("tracing and reading other processes"),
      filtered("rare kernel interfaces"),
      filtered("new executable memory"),
  };
}

std::vector<std::string> missing_on(const Kernel& kernel) {
  std::vector<std::string> missing;
  if (kernel.landlock < 1) missing.push_back(kernel.landlock_problem + ": files are not closed off");
  if (!kernel.filter) missing.emplace_back("this kernel filters no system calls (seccomp): sockets are not closed off");
  return missing;
}

}  // namespace ingle::security
