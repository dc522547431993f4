// Each list is what its comment in the header says; names and meanings:
// https://man7.org/linux/man-pages/man2/syscalls.2.html
#include "security/sandbox/syscalls.h"

#include <array>

// clang-format off: lists to be read line by line, not as grids

namespace ingle::security {

CallNames basic_calls() {
  static constexpr std::array names = {
      // What is open already. pwrite and the like fail on a descriptor that was opened for reading.
      "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek",
      "_llseek", "fstat", "close", "close_range", "dup", "dup2", "dup3", "fsync", "fdatasync", "ftruncate", "fallocate",
      "fadvise64", "readahead", "sync_file_range", "copy_file_range", "poll", "ppoll", "select", "pselect6",
      "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe",
      "pipe2",
      // Receiving on a socket that was handed in, which is also how further descriptors are handed in.
      "recvfrom", "recvmsg", "shutdown",
      // Memory; mmap and mprotect are looked into.
      "munmap", "mremap", "madvise", "brk", "mincore", "msync", "mlock", "mlock2", "munlock", "membarrier",
      // Time and this process itself.
      "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage",
      "getrlimit", "sysinfo", "uname", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid",
      "getgroups", "getpgrp", "getrandom", "getcpu", "futex", "futex_waitv", "sched_yield", "sched_getaffinity", "exit",
      "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "exit_group",
      // Signals; rt_sigaction, kill and tgkill are looked into.
      "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "pause",
      "restart_syscall", "getitimer", "setitimer", "alarm"};
  return names;
}

CallNames thread_calls() {
  // A thread's affinity is set from another thread, by a number that nobody knows beforehand: all numbers are allowed.
  static constexpr std::array names = {
      "sched_setaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min"};
  return names;
}

CallNames path_calls() {
  static constexpr std::array names = {
      "open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "stat", "lstat", "statx", "newfstatat",
      "readlink", "readlinkat", "getdents64", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink",
      "unlinkat", "rename", "renameat", "renameat2", "umask", "flock", "statfs", "fstatfs", "memfd_create",
      "timerfd_create", "timerfd_settime", "timerfd_gettime"};
  return names;
}

CallNames network_calls() {
  static constexpr std::array names = {
      "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg", "recvmmsg", "getsockname",
      "getpeername", "setsockopt", "getsockopt"};
  return names;
}

CallNames process_calls() {
  static constexpr std::array names = {
      "fork", "vfork", "execve", "execveat", "wait4", "waitid", "kill", "tgkill", "setpgid", "getpgid", "setsid",
      "getsid", "arch_prctl"};
  return names;
}

CallNames sanitizer_calls() {
  static constexpr std::array names = {
      "open", "openat", "readlink", "readlinkat", "newfstatat", "stat", "getdents64", "sched_setaffinity", "prlimit64",
      "personality", "prctl", "ioctl"};
  return names;
}

CallNames hostile_calls() {
  static constexpr std::array names = {
      // Other processes.
      "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_open",
      "pidfd_getfd", "pidfd_send_signal", "kcmp", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "move_pages", "migrate_pages",
      // Ways around this filter or Landlock.
      "io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at", "name_to_handle_at",
      // Large or old parts of the kernel, where its own holes have been.
      "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "fanotify_init", "quotactl",
      "quotactl_fd", "lookup_dcookie", "modify_ldt", "iopl", "ioperm", "syslog", "acct", "nfsservctl", "uselib",
      // What makes another system of it.
      "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
      "mount_setattr", "pivot_root", "chroot", "setns", "swapon", "swapoff", "kexec_load", "kexec_file_load",
      "init_module", "finit_module", "delete_module", "reboot", "sethostname", "setdomainname", "settimeofday",
      "clock_settime", "clock_adjtime", "adjtimex", "vhangup"};
  return names;
}

CallNames hostile_socket_calls() {
  static constexpr std::array names = {
      "socket", "socketpair", "socketcall"};
  return names;
}

CallNames hostile_process_calls() {
  static constexpr std::array names = {
      "fork", "vfork", "execve"};
  return names;
}

CallNames refused_calls() {
  static constexpr std::array names = {
      "open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "stat", "lstat", "statx", "readlink",
      "readlinkat", "getdents64", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",
      "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "truncate",
      "memfd_create", "memfd_secret", "setpriority", "setrlimit", "sched_setscheduler", "sched_setparam",
      "sched_setattr", "ioprio_set", "pkey_mprotect", "tkill", "connect", "bind", "listen", "accept", "accept4",
      "sendmsg", "sendmmsg", "setsockopt"};
  return names;
}

CallNames ungoverned_calls() {
  static constexpr std::array names = {
      "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "utime", "utimes",
      "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
      "fremovexattr", "removexattrat", "mknod", "mknodat", "inotify_init",
      "inotify_init1", "shmget", "shmat", "msgget", "semget", "mq_open"};
  return names;
}

// clang-format on

}  // namespace ingle::security
