// Only system calls, made directly: a C library's functions may lock, and a sanitizer's have a word in them, too.
#include "security/sandbox/stage.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "security/sandbox/landlock.h"
#include "security/sandbox/policy.h"

#define INGLE_STAGE __attribute__((no_sanitize_address, no_sanitize_thread))

namespace ingle::security {
namespace {

constexpr int kLastSignal = 64;
constexpr size_t kSignalSetBytes = 8;  // of the kernel's sigset_t

INGLE_STAGE bool reset_signals() {
  // struct sigaction as the kernel has it, on x86-64 and 64-bit Arm alike: zeros are SIG_DFL.
  const uint64_t by_default[4] = {};
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    if (::syscall(SYS_rt_sigaction, signal, by_default, nullptr, kSignalSetBytes) != 0) return false;
  }
  return true;
}

INGLE_STAGE bool move_descriptors(const Stage& stage) {
  for (size_t i = 0; i < stage.move_count; ++i) {
    if (::syscall(SYS_dup3, stage.moves[i].from, stage.moves[i].to, 0) < 0) return false;
  }
  int next = 0;
  for (size_t i = 0; i <= stage.move_count; ++i) {
    const int taken = i < stage.move_count ? stage.moves[i].to : kLastPassedFd + 1;
    if (next < taken && ::syscall(SYS_close_range, next, taken - 1, 0) != 0) return false;
    next = taken + 1;
  }
  // The stage still needs some of those above.
  return ::syscall(SYS_close_range, kLastPassedFd + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

// When the last writing end of a pipe closes, the kernel tells whoever asked for it by O_ASYNC, here with SIGKILL.
// PR_SET_PDEATHSIG would follow the thread that called launch() instead of its process.
INGLE_STAGE bool arm_lifeline() {
  const long self = ::syscall(SYS_getpid);
  const long flags = ::syscall(SYS_fcntl, kLifelineFd, F_GETFL);
  return flags >= 0 && ::syscall(SYS_fcntl, kLifelineFd, F_SETSIG, SIGKILL) == 0 &&
         ::syscall(SYS_fcntl, kLifelineFd, F_SETOWN, self) == 0 &&
         ::syscall(SYS_fcntl, kLifelineFd, F_SETFL, flags | O_ASYNC) == 0;
}

INGLE_STAGE bool set_limits(const Stage& stage) {
  for (size_t i = 0; i < stage.limit_count; ++i) {
    if (::syscall(SYS_prlimit64, 0, stage.limits[i].resource, &stage.limits[i].value, nullptr) != 0) return false;
  }
  return true;
}

// Root without them is a user who owns many files; without new privileges exec does not bring them back.
INGLE_STAGE bool drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  ::syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return ::syscall(SYS_capset, &header, none) == 0;
}

INGLE_STAGE bool enter_filter(const Stage& stage) {
  if (stage.filter.len == 0) return true;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &stage.filter) == 0;
}

INGLE_STAGE bool enter_ruleset(const Stage& stage) {
  if (stage.ruleset < 0) return true;
  errno = restrict_to_ruleset(stage.ruleset);
  return errno == 0;
}

INGLE_STAGE bool lower_priority(int niceness) {
  if (niceness == 0) return true;
  const long shown = ::syscall(SYS_getpriority, 0, 0);  // 20 less the niceness
  if (shown < 0) return false;
  const long wanted = 20 - shown + niceness;
  return ::syscall(SYS_setpriority, 0, 0, wanted > 19 ? 19 : wanted) == 0;
}

INGLE_STAGE const char* prepare(const Stage& stage) {
  const uint64_t no_signals = 0;
  if (!reset_signals()) return "reset the signals of";
  // Away from the terminal: no Ctrl-C from there, and nothing to type into it.
  if (::syscall(SYS_setsid) < 0) return "detach";
  ::syscall(SYS_umask, 077);
  if (::syscall(SYS_chdir, "/") != 0) return "set the folder of";
  if (!move_descriptors(stage)) return "hand descriptors to";
  if (!arm_lifeline()) return "tie a lifeline to";
  if (!set_limits(stage)) return "limit";
  if (!lower_priority(stage.niceness)) return "lower the priority of";
  if (!drop_capabilities()) return "take the capabilities from";
  if (::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "set no_new_privs for";
  if (!enter_ruleset(stage)) return "close the files to";
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, kSignalSetBytes) != 0)
    return "unblock signals of";
  if (!enter_filter(stage)) return "filter the system calls of";
  return nullptr;
}

}  // namespace

INGLE_STAGE int run_stage(void* stage) {
  const Stage& plan = *static_cast<const Stage*>(stage);
  const char* failed = prepare(plan);
  if (failed == nullptr) {
    ::syscall(SYS_execveat, plan.program, "", plan.arguments, plan.environment, AT_EMPTY_PATH);
    failed = "start";
  }
  plan.outcome->failed_code = errno;
  plan.outcome->failed_step = failed;
  ::syscall(SYS_exit_group, 127);
  return 127;
}

}  // namespace ingle::security
