// What a confined process may do: Access, which it can also give up itself, and Policy, which its starter sets besides.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ingle::security {

/// Whether this build has a sanitizer's run-time library, which asks for more than a confined process may
/// (Access::sanitizers).
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizedBuild = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitizedBuild = true;
#else
constexpr bool kSanitizedBuild = false;
#endif
#else
constexpr bool kSanitizedBuild = false;
#endif

/// Which system calls stay open after confine_self(). All can read, write, map and wait on what is open already, and
/// allocate memory, none of it executable.
enum class Calls {
  compute,  ///< besides: threads, pinned to cores. For the process that parses and runs a model
  parser,   ///< no more, in one thread. For a parser of documents
  plugin,   ///< as compute, and files by path (within `readable` and `writable`), and timers
};

/// What happens at a system call that no honest program of this kind makes: a socket, a new process, ptrace, a mount …
/// Others that are not allowed, such as opening a path, always fail with EPERM, because C libraries try them.
enum class Answer {
  refuse,  ///< it fails with EPERM, and the process can try something else
  kill,    ///< the process dies, and Exit says of which call: whoever breaks in has one try, and it shows
};

struct Access {
  /// Files, or folders with all that is beneath, by absolute path. Neither list: no path at all.
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;  ///< readable as well; files and folders can be made and removed there
  bool network = false;                         ///< internet sockets
  bool processes = false;                       ///< fork and exec (of what is readable and executable)
  bool threads = true;                          ///< but a parser has none
  Calls calls = Calls::compute;
  Answer forbidden = Answer::kill;
  /// Refuse to go on where the kernel lacks a means (missing_on). Without: go on, and say what is lacking.
  bool require_full = true;
  /// Tests only: also what the run-time libraries of AddressSanitizer and ThreadSanitizer ask for, and threads that
  /// these have started before. A process with this is not confined.
  bool sanitizers = false;
};

/// Bounds by the kernel. What is not set stays as the starter has it.
struct Limits {
  std::optional<uint64_t> address_space;  ///< bytes of everything that is mapped, files included (RLIMIT_AS)
  std::optional<uint64_t> data;           ///< bytes of private writable memory (RLIMIT_DATA)
  std::optional<uint64_t> file_size;      ///< bytes that a file may grow to (RLIMIT_FSIZE); more is SIGXFSZ
  std::optional<uint64_t> cpu_seconds;    ///< of all threads together (RLIMIT_CPU); more is SIGXCPU
  std::optional<uint64_t> processes;  ///< of the *user*, all programs and threads counted (RLIMIT_NPROC): rarely right
  uint64_t open_files = 64;           ///< RLIMIT_NOFILE
  // A memory image of a process that holds conversations is never written: RLIMIT_CORE is always 0.
};

struct Policy {
  Access access;
  Limits limits;
  /// The folders of the system's shared libraries, for the time until the process confines itself. A program that needs
  /// none is linked statically.
  bool system_libraries = true;
  int niceness = 0;                                              ///< added to the starter's, 0 to 19
  std::vector<std::pair<std::string, std::string>> environment;  ///< all of it
};

/// A descriptor for the child: `fd` of this process under the number `as`: 0, 1, 2 or from kFirstPassedFd on. Of 0, 1
/// and 2 those that are not given are /dev/null.
struct PassedFd {
  int fd = -1;
  int as = -1;
};

/// Two descriptors are the sandbox's own in every child of launch(): one on which it tells what killed it, one whose
/// closing at the other end kills it.
constexpr int kReportFd = 3;
constexpr int kLifelineFd = 4;
constexpr int kFirstPassedFd = 5;
constexpr int kLastPassedFd = 63;

}  // namespace ingle::security
