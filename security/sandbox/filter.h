// The system call filters (seccomp): which calls reach the kernel at all. Two of them lie over each other: launch()'s,
// which still lets a program start and load its libraries, and confine_self()'s, which names what is left.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "security/sandbox/policy.h"

namespace ingle::security {

/// The first filter, ready for the kernel: everything passes but what is hostile or, lacking Landlock's `landlock`
/// version, would slip past it. Starting a program passes only for descriptor `program`. Errors: internal, io_error.
base::Result<std::vector<sock_filter>> launch_filter(const Access& access, int landlock, int program);

/// Loads the second filter for all threads of this process, whose id is `self`: nothing passes but what is listed.
/// Needs no_new_privs, and a handler for SIGSYS (confine.cpp). Errors: internal, permission_denied.
base::Status load_confined_filter(const Access& access, pid_t self);

/// Loads a filter for all threads of this process that lets pass all but what reaches another machine (egress.h).
/// Errors: internal, permission_denied.
base::Status load_egress_filter();

/// The name of a call by this processor's number; "system call 463" where there is none.
std::string call_name(int number);

}  // namespace ingle::security
