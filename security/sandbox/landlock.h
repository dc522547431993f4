// Landlock by its system calls: which files a process can still open by path. glibc has no functions for it, and the
// headers of Debian 12 stop at version 2. https://docs.kernel.org/userspace-api/landlock.html
#pragma once

#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "security/sandbox/policy.h"

namespace ingle::security {

/// The interface's version, or -errno.
int landlock_version();

/// A file, or a folder with what is beneath.
struct PathRule {
  enum class Kind { read, write, run };  ///< run: read and execute
  std::filesystem::path path;
  Kind kind = Kind::read;
};

/// A ruleset that denies all that version `version` (1 and up) knows, but for `rules` and, with `network`, TCP. A rule
/// whose path does not exist is an error.
/// Errors: not_found, permission_denied, io_error.
base::Result<base::FileDescriptor> make_ruleset(int version, const std::vector<PathRule>& rules, bool network);

/// Binds the calling thread, and what it starts from now on, to the ruleset; needs no_new_privs. Returns 0 or errno.
/// Calls nothing but the kernel: for use between clone and exec.
int restrict_to_ruleset(int ruleset);

/// `access` as rules.
std::vector<PathRule> path_rules(const Access& access);

}  // namespace ingle::security
