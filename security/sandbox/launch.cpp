// Everything that allocates or can fail for a reason worth telling happens here, before the clone; stage.cpp holds what
// the child does then. The child borrows the parent's memory until it execs (CLONE_VM | CLONE_VFORK, as posix_spawn
// does): a process that has mapped gigabytes of weights starts one as fast as a small one.
#include "security/sandbox/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "security/sandbox/confine.h"
#include "security/sandbox/filter.h"
#include "security/sandbox/landlock.h"
#include "security/sandbox/stage.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;
using base::Status;

// A descriptor above those that the child will have, so that moving one there overwrites none that is still to move.
Result<FileDescriptor> lift(int fd) {
  FileDescriptor lifted(::fcntl(fd, F_DUPFD_CLOEXEC, kLastPassedFd + 1));
  if (lifted.get() < 0) return base::errno_error(errno, "hand on", "descriptor " + std::to_string(fd));
  return lifted;
}

struct Pipe {
  FileDescriptor read, write;
};

Result<Pipe> make_pipe(int flags) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | flags) != 0) return base::errno_error(errno, "open", "a pipe to a child process");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Status check_descriptors(const std::vector<PassedFd>& descriptors) {
  std::vector<int> targets;
  for (const PassedFd& passed : descriptors) {
    const bool standard = passed.as >= 0 && passed.as <= STDERR_FILENO;
    if (!standard && (passed.as < kFirstPassedFd || passed.as > kLastPassedFd))
      return Error{ErrorCode::invalid_argument, "a child process can't have descriptor " + std::to_string(passed.as)};
    if (std::find(targets.begin(), targets.end(), passed.as) != targets.end())
      return Error{ErrorCode::invalid_argument, "descriptor " + std::to_string(passed.as) + " is given twice"};
    targets.push_back(passed.as);
  }
  return {};
}

// The descriptors that the child will have, each lifted, with its number there.
class Moves {
 public:
  Status add(int fd, int as) {
    INGLE_TRY(FileDescriptor lifted, lift(fd));
    moves_.push_back({lifted.get(), as});
    lifted_.push_back(std::move(lifted));
    return {};
  }
  Status add_all(const std::vector<PassedFd>& descriptors) {
    for (const PassedFd& passed : descriptors) INGLE_CHECK(add(passed.fd, passed.as));
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
      const bool given = std::any_of(descriptors.begin(), descriptors.end(),
                                     [&](const PassedFd& passed) { return passed.as == standard; });
      if (given) continue;
      const FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
      if (null.get() < 0) return base::errno_error(errno, "open", "/dev/null");
      INGLE_CHECK(add(null.get(), standard));
    }
    return {};
  }
  const std::vector<Stage::Move>& sorted() {
    std::sort(moves_.begin(), moves_.end(), [](const auto& a, const auto& b) { return a.to < b.to; });
    return moves_;
  }

 private:
  std::vector<FileDescriptor> lifted_;
  std::vector<Stage::Move> moves_;
};

// Strings as exec takes them. The views die with it.
class CStrings {
 public:
  explicit CStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (std::string& text : strings_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  CStrings(const CStrings&) = delete;
  CStrings& operator=(const CStrings&) = delete;
  char** get() { return pointers_.data(); }
  bool whole() const {
    return std::none_of(strings_.begin(), strings_.end(),
                        [](const std::string& text) { return text.find('\0') != std::string::npos; });
  }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const Policy& policy) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : policy.environment) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<Stage::Limit> limits_of(const Limits& limits) {
  std::vector<Stage::Limit> list;
  const auto add = [&](int resource, std::optional<uint64_t> value) {
    if (value) list.push_back({resource, {*value, *value}});
  };
  add(RLIMIT_CORE, 0);
  add(RLIMIT_NOFILE, limits.open_files);
  add(RLIMIT_AS, limits.address_space);
  add(RLIMIT_DATA, limits.data);
  add(RLIMIT_FSIZE, limits.file_size);
  add(RLIMIT_CPU, limits.cpu_seconds);
  add(RLIMIT_NPROC, limits.processes);
  return list;
}

std::vector<PathRule> launch_rules(const Policy& policy, const std::filesystem::path& program) {
  std::vector<PathRule> rules = path_rules(policy.access);
  rules.push_back({program, PathRule::Kind::run});
  if (!policy.system_libraries) return rules;
  for (const char* path : {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"}) {
    if (::access(path, F_OK) == 0) rules.push_back({path, PathRule::Kind::run});
  }
  return rules;
}

// ThreadSanitizer takes clone for fork and loses count where memory is shared.
#if defined(__SANITIZE_THREAD__)
constexpr int kBorrowMemory = 0;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr int kBorrowMemory = 0;
#else
constexpr int kBorrowMemory = CLONE_VM;
#endif
#else
constexpr int kBorrowMemory = CLONE_VM;
#endif

// What the child runs on until it execs: a stack, and below it the outcome.
class StageMemory {
 public:
  StageMemory() : memory_(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~StageMemory() {
    if (ok()) ::munmap(memory_, kBytes);
  }
  StageMemory(const StageMemory&) = delete;
  StageMemory& operator=(const StageMemory&) = delete;
  bool ok() const { return memory_ != MAP_FAILED; }
  void* stack_top() const { return static_cast<char*>(memory_) + kBytes; }
  Stage::Outcome* outcome() const { return static_cast<Stage::Outcome*>(memory_); }  // zeros, as all new memory

 private:
  static constexpr size_t kBytes = size_t{256} << 10;
  void* memory_;
};

struct Started {
  pid_t pid = -1;
  FileDescriptor process;
};

Result<Started> start(Stage& stage, const std::filesystem::path& program) {
  const StageMemory memory;
  if (!memory.ok()) return Error{ErrorCode::out_of_memory, "no memory to start a child process"};
  stage.outcome = memory.outcome();
  // A handler of ours that ran in the child would write into our memory.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int descriptor = -1;
  const pid_t pid =
      ::clone(run_stage, memory.stack_top(), kBorrowMemory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &stage, &descriptor);
  const int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return base::errno_error(code, "start", program);
  Started started{pid, FileDescriptor(descriptor)};
  const Stage::Outcome outcome = *memory.outcome();
  if (outcome.failed_step == nullptr) return started;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return base::errno_error(outcome.failed_code, outcome.failed_step, program);
}

}  // namespace

std::filesystem::path self_program() {
  return "/proc/self/exe";
}

Result<Child> launch(const Policy& policy, const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, const std::vector<PassedFd>& descriptors,
                     const Kernel& kernel) {
  INGLE_CHECK(check_kernel(policy.access, kernel));
  if (!kernel.close_range)
    return Error{ErrorCode::unsupported, "confining a process needs Linux 5.11 or later (close_range)"};
  INGLE_CHECK(check_descriptors(descriptors));
  CStrings argument_strings(arguments), environment(environment_of(policy));
  if (!argument_strings.whole() || !environment.whole())
    return Error{ErrorCode::invalid_argument, "an argument of a child process contains a zero byte"};

  const FileDescriptor opened(::open(program.c_str(), O_PATH | O_CLOEXEC));
  if (opened.get() < 0) return base::errno_error(errno, "start", program);
  INGLE_TRY(const FileDescriptor lifted_program, lift(opened.get()));
  INGLE_TRY(Pipe report, make_pipe(O_NONBLOCK));
  INGLE_TRY(Pipe lifeline, make_pipe(0));
  Moves moves;
  INGLE_CHECK(moves.add_all(descriptors));
  INGLE_CHECK(moves.add(report.write.get(), kReportFd));
  INGLE_CHECK(moves.add(lifeline.read.get(), kLifelineFd));

  FileDescriptor ruleset;
  if (kernel.landlock > 0) {
    INGLE_TRY(const FileDescriptor made,
              make_ruleset(kernel.landlock, launch_rules(policy, program), policy.access.network));
    INGLE_TRY(ruleset, lift(made.get()));
  }
  std::vector<sock_filter> filter;
  if (kernel.filter) {
    INGLE_TRY(filter, launch_filter(policy.access, kernel.landlock, lifted_program.get()));
  }
  const std::vector<Stage::Limit> limits = limits_of(policy.limits);

  Stage stage;
  stage.moves = moves.sorted().data();
  stage.move_count = moves.sorted().size();
  stage.limits = limits.data();
  stage.limit_count = limits.size();
  stage.niceness = std::clamp(policy.niceness, 0, 19);
  stage.ruleset = ruleset.get();
  stage.filter = {static_cast<unsigned short>(filter.size()), filter.data()};
  stage.program = lifted_program.get();
  stage.arguments = argument_strings.get();
  stage.environment = environment.get();
  INGLE_TRY(Started started, start(stage, program));
  return Child(started.pid, std::move(started.process), std::move(report.read), std::move(lifeline.write),
               missing_on(kernel));
}

}  // namespace ingle::security
