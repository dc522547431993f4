// A process gives up what it no longer needs, for good: the second half of a confinement that launch() began, or all of
// it for a process that was started otherwise.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "security/sandbox/kernel.h"
#include "security/sandbox/policy.h"

namespace ingle::security {

/// Confines this process to `access`: Landlock (of paths only those in `access`), the system call filter, no new
/// privileges, no memory image, closed to debuggers of the same user. Call it when everything is loaded and opened,
/// before a byte of what is not trusted is looked at, and before any thread is started, as Landlock binds a thread and
/// what it starts; threads may be started afterwards. `report` is kReportFd in a child of launch(), -1 elsewhere: where
/// the parent learns which call was forbidden. Takes over the signal SIGSYS.
///
/// Gives what the kernel lacks (missing_on). Errors: unsupported (that, and access.require_full), invalid_argument
/// (there are threads already), not_found (a path of `access`), permission_denied, io_error, internal. After an error
/// the process may be confined in part: it should end.
base::Result<std::vector<std::string>> confine_self(const Access& access, int report = -1,
                                                    const Kernel& kernel = probe_kernel());

/// The whole of a process that is to confine itself: `run`, and what that returns. AddressSanitizer learns from /proc,
/// which is closed then, where the first thread's stack is, and where it does not know, exceptions lead to false
/// reports; so under a sanitizer it runs on another thread.
int on_known_stack(int (*run)());

/// unsupported where `access` wants what `kernel` lacks.
base::Status check_kernel(const Access& access, const Kernel& kernel);

}  // namespace ingle::security
