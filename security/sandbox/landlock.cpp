// The numbers are the kernel's interface (include/uapi/linux/landlock.h of Linux 6.15), the same on all processors.
#include "security/sandbox/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace ingle::security {
namespace {

using base::FileDescriptor;
using base::Result;
using base::Status;

enum FileRight : uint64_t {
  kExecute = 1U << 0,
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadFolder = 1U << 3,
  kRemoveFolder = 1U << 4,
  kRemoveFile = 1U << 5,
  kMakeFolder = 1U << 7,
  kMakeFile = 1U << 8,
  kMoveBetweenFolders = 1U << 13,  // from version 2
  kTruncate = 1U << 14,            // from version 3
};
constexpr uint64_t kNetworkRights = 3;  // from version 4: bind and connect of TCP
constexpr uint64_t kScopes = 3;         // from version 6: abstract Unix sockets, signals
constexpr uint64_t kSignalScope = 2;

// Rights that mean something for a file itself. The kernel refuses the others in a rule for one.
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate;

struct RulesetAttributes {
  uint64_t files = 0;
  uint64_t network = 0;
  uint64_t scopes = 0;
};

struct [[gnu::packed]] PathBeneath {
  uint64_t allowed = 0;
  int32_t parent = -1;
};

constexpr unsigned kVersionFlag = 1;
constexpr int kPathBeneathType = 1;

// Version 1 knows the bits 0 to 12; 2, 3 and 5 brought one more each.
uint64_t known_file_rights(int version) {
  const int bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
  return (uint64_t{1} << bits) - 1;
}

size_t attributes_size(int version) {
  return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

uint64_t rights_of(PathRule::Kind kind) {
  const uint64_t read = kReadFile | kReadFolder;
  switch (kind) {
    case PathRule::Kind::read:
      return read;
    case PathRule::Kind::run:
      return read | kExecute;
    case PathRule::Kind::write:
      return read | kWriteFile | kTruncate | kMakeFile | kMakeFolder | kRemoveFile | kRemoveFolder |
             kMoveBetweenFolders;
  }
  return 0;
}

Status add_rule(int ruleset, const PathRule& rule, uint64_t known) {
  const FileDescriptor fd(::open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (fd.get() < 0) return base::errno_error(errno, "open", rule.path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::errno_error(errno, "stat", rule.path);
  PathBeneath beneath;
  beneath.allowed = rights_of(rule.kind) & known;
  if (!S_ISDIR(info.st_mode)) beneath.allowed &= kOfFiles;
  beneath.parent = fd.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, kPathBeneathType, &beneath, 0) != 0)
    return base::errno_error(errno, "let a confined process reach", rule.path);
  return {};
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
  return version < 0 ? -errno : static_cast<int>(version);
}

Result<FileDescriptor> make_ruleset(int version, const std::vector<PathRule>& rules, bool network) {
  RulesetAttributes attributes;
  attributes.files = known_file_rights(version);
  attributes.network = version >= 4 && !network ? kNetworkRights : 0;
  attributes.scopes = version < 6 ? 0 : network ? kSignalScope : kScopes;
  FileDescriptor ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, attributes_size(version), 0)));
  if (ruleset.get() < 0) return base::errno_error(errno, "make", "a Landlock ruleset");
  for (const PathRule& rule : rules) INGLE_CHECK(add_rule(ruleset.get(), rule, attributes.files));
  return ruleset;
}

int restrict_to_ruleset(int ruleset) {
  return ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
}

std::vector<PathRule> path_rules(const Access& access) {
  std::vector<PathRule> rules;
  const auto kind = access.processes ? PathRule::Kind::run : PathRule::Kind::read;
  for (const auto& path : access.readable) rules.push_back({path, kind});
  for (const auto& path : access.writable) rules.push_back({path, PathRule::Kind::write});
  return rules;
}

}  // namespace ingle::security
