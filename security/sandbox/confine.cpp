// Order: Landlock before the filter, because the filter allows neither it nor the opening of the rules' paths; the
// handler before the filter, because the filter keeps SIGSYS as it finds it.
#include "security/sandbox/confine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "base/files.h"
#include "security/sandbox/filter.h"
#include "security/sandbox/landlock.h"
#include "security/sandbox/report.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// A signal handler has no other way to learn it. Set once, before the handler is installed.
std::atomic<int> report_descriptor{-1};

// The registers of the interrupted call: its arguments, and where its result goes.
struct Registers {
  explicit Registers(void* context) : machine(static_cast<ucontext_t*>(context)->uc_mcontext) {}
  mcontext_t& machine;
#if defined(__x86_64__)
  long first() const { return machine.gregs[REG_RDI]; }
  long second() const { return machine.gregs[REG_RSI]; }
  long third() const { return machine.gregs[REG_RDX]; }
  long fourth() const { return machine.gregs[REG_R10]; }
  void set_result(long value) { machine.gregs[REG_RAX] = value; }
#elif defined(__aarch64__)
  long first() const { return static_cast<long>(machine.regs[0]); }
  long second() const { return static_cast<long>(machine.regs[1]); }
  long third() const { return static_cast<long>(machine.regs[2]); }
  long fourth() const { return static_cast<long>(machine.regs[3]); }
  void set_result(long value) { machine.regs[0] = static_cast<unsigned long>(value); }
#else
#error "security/sandbox knows the registers of x86-64 and 64-bit Arm"
#endif
};

// newfstatat(fd, "", out, AT_EMPTY_PATH) is how glibc spells fstat(fd, out); any other path is refused.
void stat_open_file(Registers registers) {
  const int descriptor = static_cast<int>(registers.first());
  const auto* path = reinterpret_cast<const char*>(registers.second());
  if ((registers.fourth() & AT_EMPTY_PATH) == 0 || descriptor < 0 || path == nullptr || *path != '\0')
    return registers.set_result(-EPERM);
  const long result = ::syscall(SYS_fstat, descriptor, registers.third());
  registers.set_result(result < 0 ? -errno : result);
}

constexpr int kByFilter = 1;  // si_code SYS_SECCOMP, which Debian 12's glibc lacks

// Runs inside whatever made the call: only what a signal handler may do.
void on_forbidden_call(int /*signal*/, siginfo_t* info, void* context) {
  if (info->si_code != kByFilter) return;  // sent by somebody; no call was made
  const int saved_errno = errno;
  if (info->si_syscall == SYS_newfstatat) {
    stat_open_file(Registers(context));
    errno = saved_errno;
    return;
  }
  const Report report{.call = info->si_syscall};
  const int descriptor = report_descriptor.load(std::memory_order_relaxed);
  if (descriptor >= 0) (void)!::write(descriptor, &report, sizeof report);
  // SIGSYS is blocked in here; the kernel then takes away the handler and ends the process for the next forbidden call.
  ::syscall(SYS_ptrace, 0, 0, 0, 0);
  ::syscall(SYS_exit_group, 128 + SIGSYS);
}

Status install_handler(int report) {
  report_descriptor.store(report, std::memory_order_relaxed);
  struct sigaction action{};
  action.sa_sigaction = on_forbidden_call;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return base::errno_error(errno, "handle", "SIGSYS");
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGSYS);
  if (::sigprocmask(SIG_UNBLOCK, &one, nullptr) != 0) return base::errno_error(errno, "unblock", "SIGSYS");
  return {};
}

Status give_up_privileges(const Access& access) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::errno_error(errno, "set", "no_new_privs");
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return base::errno_error(errno, "limit", "memory images");
  if (!access.sanitizers && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return base::errno_error(errno, "close", "the process to debuggers");
  return {};
}

}  // namespace

int on_known_stack(int (*run)()) {
  if (!kSanitizedBuild) return run();
  int code = 0;
  std::thread([&] { code = run(); }).join();
  return code;
}

Status check_kernel(const Access& access, const Kernel& kernel) {
  if (!access.require_full) return {};
  std::string text;
  for (const std::string& line : missing_on(kernel)) text += (text.empty() ? "" : "; ") + line;
  if (text.empty()) return {};
  return Error{ErrorCode::unsupported, "this system can't confine a process as asked: " + text};
}

Result<std::vector<std::string>> confine_self(const Access& access, int report, const Kernel& kernel) {
  INGLE_CHECK(check_kernel(access, kernel));
  // Changes nothing with this flag, but fails where there are other threads; no file system is needed to ask.
  if (!access.sanitizers && ::unshare(CLONE_THREAD) != 0)
    return Error{ErrorCode::invalid_argument, "a process has to confine itself before it starts threads"};
  INGLE_CHECK(give_up_privileges(access));
  // ThreadSanitizer's own thread would be left outside and take ours for another process.
  if (kernel.landlock > 0 && !access.sanitizers) {
    INGLE_TRY(const base::FileDescriptor ruleset, make_ruleset(kernel.landlock, path_rules(access), access.network));
    if (const int code = restrict_to_ruleset(ruleset.get()); code != 0)
      return base::errno_error(code, "enter", "a Landlock ruleset");
  }
  if (kernel.filter) {
    INGLE_CHECK(install_handler(report));
    INGLE_CHECK(load_confined_filter(access, ::getpid()));
  }
  return missing_on(kernel);
}

}  // namespace ingle::security
