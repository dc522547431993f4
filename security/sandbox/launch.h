// Starts a child process that has what it was given and nothing else.
//
//   Policy policy;                                        // nothing, but the system's libraries to start with
//   INGLE_TRY(Child child, launch(policy, self_program(), {"ingle", "engine"}, {{model.get(), 5}, {pipe.get(), 6}}));
//   …
//   confine_self(Access{}, kReportFd);                    // in the child, before it looks at the model
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "security/sandbox/child.h"
#include "security/sandbox/kernel.h"
#include "security/sandbox/policy.h"

namespace ingle::security {

/// The program that runs, even where its file was replaced meanwhile.
std::filesystem::path self_program();

/// Starts `program` (an ELF file's path) with `arguments`, the first of which is its name for itself. The child has
/// exactly the descriptors that `descriptors` names, /dev/null for what is missing of 0 to 2, and the sandbox's own
/// two; the environment and limits of `policy`; the folder "/"; a session of its own; no capabilities and no way to new
/// privileges; no signal blocked or ignored. It can open by path what `policy` names, the program and, where
/// policy.system_libraries says so, the libraries. Sockets, new processes and hostile system calls are closed already.
/// The rest is the child's part: confine_self().
///
/// For any thread, any number at a time; nothing leaks into the children of others. Errors: invalid_argument
/// (descriptors, strings with zero bytes), not_found, permission_denied (program, paths), unsupported (what the kernel
/// lacks), out_of_memory, io_error, internal.
base::Result<Child> launch(const Policy& policy, const std::filesystem::path& program,
                           const std::vector<std::string>& arguments, const std::vector<PassedFd>& descriptors,
                           const Kernel& kernel = probe_kernel());

}  // namespace ingle::security
