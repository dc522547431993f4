// Built by libseccomp, which knows every processor's numbers and lays the rules out as a search tree.
// https://man7.org/linux/man-pages/man3/seccomp_rule_add.3.html
//
// A number that is on no list fails with ENOSYS, the answer of a kernel that is too old for it: C libraries have
// another way then, so that a newer one than these lists knows still works.
#include "security/sandbox/filter.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "base/files.h"
#include "security/sandbox/syscalls.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr uint32_t kTrap = SCMP_ACT_TRAP;
constexpr uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);
constexpr uint32_t kUnknown = SCMP_ACT_ERRNO(ENOSYS);
constexpr uint64_t kLow32 = 0xffffffff;
constexpr uint64_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// The kernel looks at the lower half of an int argument only; a rule that is to catch a value has to do so, too.
scmp_arg_cmp low32_is(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, kLow32, value};
}
scmp_arg_cmp is(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp is_not(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}
scmp_arg_cmp below(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_LT, value, 0};
}
scmp_arg_cmp bits_are(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// A filter in the making. The first failure stays, so that the rules read as a list.
class Rules {
 public:
  explicit Rules(uint32_t otherwise) : context_(seccomp_init(otherwise)), otherwise_(otherwise) {
    if (context_ == nullptr) {
      fail(-ENOMEM, "the start");
      return;
    }
    // Calls by the numbers of another interface (i386, x32) would have other meanings.
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  }

  void set(scmp_filter_attr attribute, uint32_t value) {
    if (status_.ok()) check(seccomp_attr_set(context_.get(), attribute, value), "an attribute");
  }

  template <typename... Conditions>
  void add(uint32_t action, const char* name, Conditions... conditions) {
    if (!status_.ok() || action == otherwise_) return;
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // not on this processor, or not known to this libseccomp
    const std::vector<scmp_arg_cmp> list{conditions...};
    check(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(list.size()), list.data()),
          name);
  }
  void add_all(uint32_t action, CallNames names) {
    for (const char* name : names) add(action, name);
  }

  Status load() {
    if (status_.ok()) check(seccomp_load(context_.get()), "the loading");
    return status_;
  }

  Result<std::vector<sock_filter>> code() {
    INGLE_CHECK(status_);
    const base::FileDescriptor file(::memfd_create("filter", MFD_CLOEXEC));
    if (file.get() < 0) return base::errno_error(errno, "make", "a filter's file");
    check(seccomp_export_bpf(context_.get(), file.get()), "the export");
    INGLE_CHECK(status_);
    const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> code(bytes > 0 ? static_cast<size_t>(bytes) / sizeof(sock_filter) : 0);
    if (code.empty() || ::pread(file.get(), code.data(), static_cast<size_t>(bytes), 0) != bytes)
      return base::errno_error(EIO, "read", "a filter's file");
    return code;
  }

 private:
  struct Release {
    void operator()(void* context) const { seccomp_release(context); }
  };

  void check(int result, const char* what) {
    if (result < 0) fail(result, what);
  }
  void fail(int code, const char* what) {
    status_ = Error{code == -EPERM || code == -EACCES ? ErrorCode::permission_denied : ErrorCode::internal,
                    std::string("the system call filter failed at ") + what + ": " +
                        std::error_code(-code, std::generic_category()).message()};
  }

  std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release> context_;
  uint32_t otherwise_;
  Status status_;
};

uint32_t action_of(Answer answer) {
  return answer == Answer::kill ? kTrap : kRefuse;
}

// Signals that a descriptor sends to a process of one's choice, and typing into somebody's terminal.
void add_refused_commands(Rules& rules) {
  for (const uint64_t command : {F_SETOWN, F_SETOWN_EX, F_SETSIG, F_NOTIFY})
    rules.add(kRefuse, "fcntl", low32_is(1, command));
  for (const uint64_t command : {FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX, TIOCSETD})
    rules.add(kRefuse, "ioctl", low32_is(1, command));
}

void add_memory(Rules& rules, const Access& access) {
  // Memory is never executable that was not when the program had loaded: injected code stays data. Whoever starts
  // programs has to load them.
  for (const char* name : {"mmap", "mprotect"}) {
    if (access.processes) {
      rules.add(SCMP_ACT_ALLOW, name);
    } else {
      rules.add(SCMP_ACT_ALLOW, name, bits_are(2, PROT_EXEC, 0));
      rules.add(kRefuse, name, bits_are(2, PROT_EXEC, PROT_EXEC));
    }
  }
}

void add_descriptor_commands(Rules& rules) {
  for (const uint64_t command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GET_SEALS, F_GETLK,
                                 F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_GETPIPE_SZ})
    rules.add(SCMP_ACT_ALLOW, "fcntl", is(1, command));
  // isatty, and how much there is to read.
  for (const uint64_t command : {TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX})
    rules.add(SCMP_ACT_ALLOW, "ioctl", is(1, command));
}

void add_own_process(Rules& rules, const Access& access, pid_t self) {
  const auto id = static_cast<uint64_t>(self);
  if (!access.processes) {
    rules.add(SCMP_ACT_ALLOW, "kill", is(0, id));
    rules.add(SCMP_ACT_ALLOW, "tgkill", is(0, id));  // raise, abort
  }
  // SIGSYS (31) keeps its handler, which says what was forbidden: less, or 32 in the number, or 64.
  rules.add(SCMP_ACT_ALLOW, "rt_sigaction", below(0, SIGSYS));
  rules.add(SCMP_ACT_ALLOW, "rt_sigaction", bits_are(0, 32, 32));
  rules.add(SCMP_ACT_ALLOW, "rt_sigaction", is(0, 64));
  for (const uint64_t option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA})
    rules.add(SCMP_ACT_ALLOW, "prctl", is(0, option));
  // Reading its own limits.
  rules.add(SCMP_ACT_ALLOW, "prlimit64", is(0, 0), is(2, 0));
#if defined(__x86_64__)
  // Asking for the tile registers (ARCH_GET_XCOMP_PERM, ARCH_REQ_XCOMP_PERM).
  for (const uint64_t option : {0x1022, 0x1023}) rules.add(SCMP_ACT_ALLOW, "arch_prctl", is(0, option));
#endif
}

void add_threads(Rules& rules, const Access& access, uint32_t forbidden) {
  rules.add(kUnknown, "clone3");  // its flags lie in memory, where no filter sees them; C libraries fall back to clone
  if (access.threads && access.calls != Calls::parser) {
    rules.add_all(SCMP_ACT_ALLOW, thread_calls());
    rules.add(SCMP_ACT_ALLOW, "clone", bits_are(0, CLONE_THREAD | kNewNamespaces, CLONE_THREAD));
  }
  if (access.processes) {
    rules.add_all(SCMP_ACT_ALLOW, process_calls());
    rules.add(SCMP_ACT_ALLOW, "clone", bits_are(0, CLONE_THREAD | kNewNamespaces, 0));
  } else {
    rules.add_all(forbidden, hostile_process_calls());
    rules.add(forbidden, "execveat");
    rules.add(forbidden, "clone", bits_are(0, CLONE_THREAD, 0));
  }
}

void add_network(Rules& rules, const Access& access, uint32_t forbidden) {
  if (!access.network) {
    rules.add_all(forbidden, hostile_socket_calls());
    rules.add(SCMP_ACT_ALLOW, "sendto", is(4, 0));  // send(): to whom the socket is connected
    return;
  }
  rules.add_all(SCMP_ACT_ALLOW, network_calls());
  for (const uint64_t family : {AF_INET, AF_INET6}) rules.add(SCMP_ACT_ALLOW, "socket", is(0, family));
}

// Whoever lets go of the lifeline outlives the starter. It could be closed, overwritten, or told to stop signalling,
// itself or by a copy.
void add_lifeline(Rules& rules) {
  const scmp_arg_cmp first = low32_is(0, kLifelineFd), second = low32_is(1, kLifelineFd);
  for (const char* name : {"close", "dup", "dup2", "dup3", "ioctl"}) rules.add(kRefuse, name, first);
  for (const char* name : {"dup2", "dup3"}) rules.add(kRefuse, name, second);
  for (const uint64_t command : {F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC})
    rules.add(kRefuse, "fcntl", first, low32_is(1, command));
  // Any range that starts there or a little before: a filter compares no two arguments.
  rules.add(kRefuse, "close_range", bits_are(0, kLow32 & ~uint64_t{7}, 0));
}
static_assert(kLifelineFd < 8);

bool lists(CallNames names, const char* name) {
  for (const std::string_view other : names)
    if (other == name) return true;
  return false;
}

}  // namespace

Result<std::vector<sock_filter>> launch_filter(const Access& access, int landlock, int program) {
  Rules rules(SCMP_ACT_ALLOW);
  const uint32_t forbidden = action_of(access.forbidden);
  rules.add_all(forbidden, hostile_calls());
  // unshare(CLONE_THREAD) does nothing but tell whether there is one thread: confine_self() asks.
  rules.add(forbidden, "unshare", is_not(0, CLONE_THREAD));
  if (!access.sanitizers) rules.add(forbidden, "personality");
  rules.add_all(kRefuse, ungoverned_calls());
  if (landlock < 3) rules.add(kRefuse, "truncate");
  add_refused_commands(rules);
  rules.add(kUnknown, "clone3");
  if (!access.network) rules.add_all(forbidden, hostile_socket_calls());
  if (!access.processes) {
    rules.add_all(forbidden, hostile_process_calls());
    rules.add(forbidden, "execveat", is_not(0, static_cast<uint64_t>(program)));
    rules.add(forbidden, "clone", bits_are(0, CLONE_THREAD, 0));
    add_lifeline(rules);
  }
  for (const uint64_t flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET})
    rules.add(forbidden, "clone", bits_are(0, flag, flag));
  return rules.code();
}

Status load_confined_filter(const Access& access, pid_t self) {
  Rules rules(kUnknown);
  const uint32_t forbidden = action_of(access.forbidden);
  rules.set(SCMP_FLTATR_CTL_TSYNC, 1);
  // Before Linux 5.16 a filter also slows speculation, which the engine would feel. It runs no foreign code.
  if (access.calls != Calls::plugin) rules.set(SCMP_FLTATR_CTL_SSB, 1);
  rules.add_all(SCMP_ACT_ALLOW, basic_calls());
  add_memory(rules, access);
  add_descriptor_commands(rules);
  add_own_process(rules, access, self);
  add_threads(rules, access, forbidden);
  add_network(rules, access, forbidden);
  rules.add_all(forbidden, hostile_calls());
  const bool paths = access.calls == Calls::plugin;
  if (paths) rules.add_all(SCMP_ACT_ALLOW, path_calls());
  if (access.sanitizers) rules.add_all(SCMP_ACT_ALLOW, sanitizer_calls());
  // What glibc makes of fstat: its path is empty, or it is none of the process's business. The handler looks.
  if (!paths && !access.sanitizers) rules.add(kTrap, "newfstatat");
  for (const char* name : refused_calls()) {
    const bool open = (paths && lists(path_calls(), name)) || (access.network && lists(network_calls(), name)) ||
                      (access.sanitizers && lists(sanitizer_calls(), name));
    if (!open) rules.add(kRefuse, name);
  }
  rules.add_all(kRefuse, ungoverned_calls());
  return rules.load();
}

// A process that listens already needs no call of these: what it accepts comes without socket() and connect().
Status load_egress_filter() {
  constexpr uint64_t kFamilies = 64;  // of which the kernel knows fewer (AF_MAX)
  Rules rules(SCMP_ACT_ALLOW);
  rules.set(SCMP_FLTATR_CTL_TSYNC, 1);
  rules.set(SCMP_FLTATR_CTL_SSB, 1);  // as above
  for (uint64_t family = 0; family < kFamilies; ++family)
    if (family != AF_UNIX && family != AF_NETLINK) rules.add(kRefuse, "socket", low32_is(0, family));
  // Also of a Unix socket, behind which somebody may pass on, and of a connection, which can be dissolved and made
  // anew.
  rules.add(kRefuse, "connect");
  rules.add(kRefuse, "sendto", bits_are(3, MSG_FASTOPEN, MSG_FASTOPEN));
  for (const char* name : {"sendmsg", "sendmmsg"}) {
    const unsigned flags = std::string_view(name) == "sendmsg" ? 2 : 3;
    rules.add(kRefuse, name, bits_are(flags, MSG_FASTOPEN, MSG_FASTOPEN));
  }
  // Calls that no filter sees, and other processes' sockets.
  for (const char* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) rules.add(kUnknown, name);
  for (const char* name : {"process_vm_writev", "pidfd_getfd"}) rules.add(kRefuse, name);
  if (!kSanitizedBuild) rules.add(kRefuse, "ptrace");  // by which LeakSanitizer looks for leaks
  return rules.load();
}

std::string call_name(int number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
  if (name == nullptr) return "system call " + std::to_string(number);
  std::string copy(name);
  std::free(name);
  return copy;
}

}  // namespace ingle::security
