// Everything that a confined process is not to do, tried three times: by an ordinary process, where it works, so that
// the other two mean something; after launch(); and after confine_self().
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "security/sandbox/test_programs.h"

namespace ingle::security::test {
namespace {

int code_of(long result) {
  return result < 0 ? errno : 0;
}

int try_open(const char* path, int flags) {
  const int fd = ::open(path, flags, 0600);
  const int code = code_of(fd);
  if (fd >= 0) ::close(fd);
  return code;
}

int try_folder() {
  DIR* folder = ::opendir("/");
  const int code = folder == nullptr ? errno : 0;
  if (folder != nullptr) ::closedir(folder);
  return code;
}

int try_stat(int at, const char* path, int flags) {
  struct stat info{};
  return code_of(::syscall(SYS_newfstatat, at, path, &info, flags));
}

int try_socket(int family, int type) {
  const int fd = ::socket(family, type, 0);
  const int code = code_of(fd);
  if (fd >= 0) ::close(fd);
  return code;
}

int try_socketpair() {
  int ends[2];
  return code_of(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

// A loopback address where nobody listens: "refused" by the peer means that the kernel let us out.
int try_connect() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int code = code_of(::connect(kSocketFd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return code == ECONNREFUSED ? 0 : code;
}

int try_sendto() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  const int code = code_of(::sendto(kSocketFd, "x", 1, MSG_NOSIGNAL, to, sizeof address));
  return code == EPIPE ? 0 : code;  // what a TCP socket without a connection says
}

int reap(long child) {
  const int code = code_of(child);
  if (child == 0) ::_exit(0);
  if (child > 0) ::waitpid(static_cast<pid_t>(child), nullptr, 0);
  return code;
}

int try_exec(bool by_descriptor) {
  // In a child of its own where there can be one, so that this process goes on where exec works.
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  char* environment[] = {nullptr};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  const long child = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child <= 0) {
    if (by_descriptor)
      ::syscall(SYS_execveat, AT_FDCWD, name, arguments, environment, 0);
    else
      ::syscall(SYS_execve, name, arguments, environment);
    const int code = errno;
    if (child < 0) return code;
    (void)!::write(ends[1], &code, sizeof code);
    ::_exit(1);
  }
  ::close(ends[1]);
  int code = 0;
  if (::read(ends[0], &code, sizeof code) != sizeof code) code = 0;
  ::close(ends[0]);
  ::waitpid(static_cast<pid_t>(child), nullptr, 0);
  return code;
}

int try_read_parent() {
  char byte = 0;
  iovec here{&byte, 1}, there{&byte, 1};
  const int code = code_of(::syscall(SYS_process_vm_readv, ::getpid(), &here, 1, &there, 1, 0));
  return code;
}

int try_map(int protection) {
  void* memory = ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  ::munmap(memory, 4096);
  return 0;
}

int try_make_executable() {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  const int code = code_of(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
  ::munmap(memory, 4096);
  return code;
}

// A descriptor that signals whom one likes, once something happens on it.
int try_set_owner() {
  return code_of(::fcntl(kDataFd, F_SETOWN, ::getppid()));
}

int try_handle_sigsys() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  return code_of(::syscall(SYS_rt_sigaction, SIGSYS, &action, nullptr, 8));
}

// The same with rubbish in the argument's upper half, which the kernel does not look at.
int try_handle_sigsys_wide() {
  const uint64_t action[4] = {};
  return code_of(::syscall(SYS_rt_sigaction, (1L << 32) | SIGSYS, action, nullptr, 8));
}

int try_limit_parent() {
  struct rlimit limit{};
  return code_of(::prlimit(::getppid(), RLIMIT_NOFILE, nullptr, &limit));
}

int try_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  return code_of(::syscall(number, a, b, c, d, e));
}

int try_shared_memory() {
  const int id = ::shmget(IPC_PRIVATE, 4096, 0600);
  const int code = code_of(id);
  if (id >= 0) ::shmctl(id, IPC_RMID, nullptr);
  return code;
}

void add_paths(std::vector<Attempt>& list) {
  const auto add = [&](const char* name, std::function<int()> run) {
    list.push_back({name, std::move(run), "", true, true, false});
  };
  add("open a file", [] { return try_open("/etc/passwd", O_RDONLY); });
  add("open the kernel's files", [] { return try_open("/proc/self/status", O_RDONLY); });
  add("open what is open again", [] { return try_open("/proc/self/fd/5", O_RDONLY); });
  add("open a device", [] { return try_open("/dev/zero", O_RDONLY); });
  add("make a file", [] { return try_open("/dev/shm", O_WRONLY | O_TMPFILE); });  // one without a name
  add("truncate what may be read",
      [] { return code_of(::truncate("/proc/self/fd/5", std::ssize(std::string_view(kData)))); });
  add("list a folder", [] { return try_folder(); });
  // Landlock leaves these; the second filter takes them.
  const auto add_late = [&](const char* name, std::function<int()> run) {
    list.push_back({name, std::move(run), "", true, false, false});
  };
  add_late("stat a file", [] { return try_stat(AT_FDCWD, "/etc/passwd", 0); });
  add_late("stat a file, oddly", [] { return try_stat(kDataFd, "/etc/passwd", AT_EMPTY_PATH); });
  add_late("stat the folder", [] { return try_stat(AT_FDCWD, "", AT_EMPTY_PATH); });
  add_late("look for a file", [] { return code_of(::access("/etc/passwd", R_OK)); });
  add_late("read a link", [] {
    char text[64];
    return code_of(::readlink("/proc/self/exe", text, sizeof text));
  });
  list.push_back({"make a memory file", [] { return code_of(::memfd_create("x", 0)); }, "", true, false, true});
}

void add_network(std::vector<Attempt>& list) {
  const auto add = [&](const char* name, std::function<int()> run, const char* call, bool works = true) {
    list.push_back({name, std::move(run), call, works, true, true});
  };
  add("a TCP socket", [] { return try_socket(AF_INET, SOCK_STREAM); }, "socket");
  add("a UDP socket", [] { return try_socket(AF_INET, SOCK_DGRAM); }, "socket");
  add("a TCP socket of version 6", [] { return try_socket(AF_INET6, SOCK_STREAM); }, "socket", false);
  add("a Unix socket", [] { return try_socket(AF_UNIX, SOCK_STREAM); }, "socket");
  add("a netlink socket", [] { return try_socket(AF_NETLINK, SOCK_RAW); }, "socket");
  add("a pair of sockets", try_socketpair, "socketpair");
  list.push_back({"connect to loopback", try_connect, "", true, false, true});
  list.push_back({"send to an address", try_sendto, "", true, false, true});
}

void add_processes(std::vector<Attempt>& list) {
  const auto add = [&](const char* name, std::function<int()> run, const char* call, bool works = true,
                       bool at_launch = true) { list.push_back({name, std::move(run), call, works, at_launch, true}); };
  add("fork", [] { return reap(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }, "clone");
  add("clone3", [] { return try_call(SYS_clone3, 0, 0) == EINVAL ? 0 : errno; }, "");
  add("exec", [] { return try_exec(false); }, "clone");
  add("exec by descriptor", [] { return try_exec(true); }, "clone");
  add("exec, alone", [] { return try_call(SYS_execve, 0, 0, 0); }, "execve", false);
  add("exec by descriptor, alone", [] { return try_call(SYS_execveat, 0, 0, 0, 0, 0); }, "execveat", false);
  add("trace", [] { return try_call(SYS_ptrace, PTRACE_TRACEME); }, "ptrace");
  add("read memory of processes", try_read_parent, "process_vm_readv");
  add("signal the parent", [] { return code_of(::kill(::getppid(), 0)); }, "", true, false);
  add(
      "signal a thread of the parent", [] { return try_call(SYS_tgkill, ::getppid(), ::getppid(), 0); }, "", true,
      false);
  add("signal the parent by thread", [] { return try_call(SYS_tkill, ::getppid(), 0); }, "", true, false);
  add("signal everybody", [] { return code_of(::kill(-1, 0)); }, "", true, false);
  add("hold the parent", [] { return try_call(SYS_pidfd_open, ::getppid(), 0); }, "pidfd_open");
  add("have a descriptor signal", try_set_owner, "");
  list.push_back({"limit the parent", try_limit_parent, "", true, false, false});
  add("map executable memory", [] { return try_map(PROT_READ | PROT_EXEC); }, "", true, false);
  add("make memory executable", try_make_executable, "", true, false);
  add("set SIGSYS", try_handle_sigsys, "", true, false);
  add("set SIGSYS, oddly", try_handle_sigsys_wide, "", true, false);
  add("survive its starter", [] { return code_of(::fcntl(kDataFd, F_SETSIG, 0)); }, "");
}

// Freed of it, a process would outlive its starter. An ordinary one has nothing under that number.
void add_lifeline(std::vector<Attempt>& list) {
  const auto add = [&](const char* name, std::function<int()> run) {
    list.push_back({name, std::move(run), "", false, true, true});
  };
  add("close the lifeline", [] { return try_call(SYS_close, kLifelineFd); });
  add("close the lifeline, oddly", [] { return try_call(SYS_close, (1L << 32) | kLifelineFd); });
  add("close the lifeline by range", [] { return try_call(SYS_close_range, 4, 4, 0); });
  add("close the lifeline by ranges", [] { return try_call(SYS_close_range, 3, 1000, 0); });
  add("copy the lifeline", [] { return try_call(SYS_dup, kLifelineFd); });
  add("copy the lifeline, otherwise", [] { return try_call(SYS_fcntl, kLifelineFd, F_DUPFD, 0); });
  add("overwrite the lifeline", [] { return try_call(SYS_dup3, 1, kLifelineFd, 0); });
  add("silence the lifeline", [] { return try_call(SYS_fcntl, kLifelineFd, F_SETFL, 0); });
  add("silence the lifeline, otherwise", [] { return try_call(SYS_ioctl, kLifelineFd, FIOASYNC, 0); });
  list.push_back({"share memory by a key", try_shared_memory, "", true, true, true});
}

void add_kernel(std::vector<Attempt>& list) {
  const auto add = [&](const char* call, std::function<int()> run) {
    list.push_back({call, std::move(run), call, false, true, true});
  };
  add("io_uring_setup", [] { return try_call(SYS_io_uring_setup, 1, 0); });
  add("bpf", [] { return try_call(SYS_bpf, 0, 0, 0); });
  add("perf_event_open", [] { return try_call(SYS_perf_event_open, 0, 0, -1, -1, 0); });
  add("userfaultfd", [] { return try_call(SYS_userfaultfd, 1); });
  add("keyctl", [] { return try_call(SYS_keyctl, 0, -1, 1); });
  add("setns", [] { return try_call(SYS_setns, kDataFd, 0); });
  add("mount", [] { return try_call(SYS_mount, 0, 0, 0, 0, 0); });
  add("move_mount", [] { return try_call(SYS_move_mount, 0, 0, 0, 0, 0); });
  add("chroot", [] { return try_call(SYS_chroot, 0); });
  add("kexec_load", [] { return try_call(SYS_kexec_load, 0, 0, 0, 0); });
  add("finit_module", [] { return try_call(SYS_finit_module, kDataFd, 0, 0); });
  add("open_by_handle_at", [] { return try_call(SYS_open_by_handle_at, -1, 0, 0); });
  add("reboot", [] { return try_call(SYS_reboot, 0, 0, 0, 0); });
  add("pidfd_getfd", [] { return try_call(SYS_pidfd_getfd, -1, 0, 0); });
  list.push_back({"unshare", [] { return try_call(SYS_unshare, CLONE_FS); }, "", true, true, true});
  list.push_back({"personality", [] { return try_call(SYS_personality, -1); }, "", true, true, false});
  list.push_back(
      {"a call of the future", [] { return try_call(4000) == ENOSYS ? ENOSYS : 0; }, "", false, false, true});
}

std::string result_line(const Attempt& attempt, int code) {
  return attempt.name + "=" + std::to_string(code) + "\n";
}

int try_all(Arguments) {
  for (const Attempt& attempt : attempts()) {
    errno = 0;
    const std::string line = result_line(attempt, attempt.run());
    if (::write(1, line.data(), line.size()) != std::ssize(line)) return 1;
  }
  return 0;
}

// As on a kernel with that version of Landlock.
Kernel kernel_with(int landlock) {
  Kernel kernel = probe_kernel();
  kernel.landlock = std::min(kernel.landlock, landlock);
  return kernel;
}

int try_all_confined(Arguments arguments) {
  Access access = compute_access();
  access.require_full = false;
  const auto confined = confine_self(access, kReportFd, kernel_with(std::stoi(arguments[0])));
  return confined.ok() ? try_all(arguments) : 1;
}

int try_one_confined(Arguments arguments) {
  if (!confine_self(compute_access(Answer::kill), kReportFd).ok()) return 1;
  for (const Attempt& attempt : attempts()) {
    if (attempt.name == arguments[0]) return attempt.run() == 0 ? 2 : 3;
  }
  return 4;
}

std::map<std::string, int> results_of(const std::string& output) {
  std::map<std::string, int> results;
  size_t at = 0;
  while (at < output.size()) {
    const size_t end = output.find('\n', at), equals = output.rfind('=', end);
    results[output.substr(at, equals - at)] = std::stoi(output.substr(equals + 1, end - equals - 1));
    at = end + 1;
  }
  return results;
}

// The same program and descriptors without launch().
std::string run_plainly(const char* program) {
  Ends output = make_pipe();
  const base::FileDescriptor data = data_file();
  const base::FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const pid_t child = ::fork();
  if (child == 0) {
    const int high[] = {::fcntl(output.write.get(), F_DUPFD, 100), ::fcntl(data.get(), F_DUPFD, 100),
                        ::fcntl(tcp.get(), F_DUPFD, 100)};
    ::dup2(high[0], 1);
    ::dup2(high[1], kDataFd);
    ::dup2(high[2], kSocketFd);
    ::execl("/proc/self/exe", "plain", kProgramFlag, program, "99", nullptr);
    ::_exit(97);
  }
  (void)output.write.close();
  std::string text = read_to_end(output.read.get());
  ::waitpid(child, nullptr, 0);
  return text;
}

std::map<std::string, int> run_in_sandbox(const std::string& program, int landlock) {
  const base::FileDescriptor data = data_file();
  const base::FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Access access = compute_access();
  access.require_full = false;
  const Finished finished = run_confined(launch_policy(access), program, {std::to_string(landlock)},
                                         {{data.get(), kDataFd}, {tcp.get(), kSocketFd}}, kernel_with(landlock));
  EXPECT_EQ(finished.exit.describe(), "ended with status 0");
  return results_of(finished.output);
}

void expect_denied(const std::map<std::string, int>& results, bool at_launch) {
  for (const Attempt& attempt : attempts()) {
    if ((at_launch && !attempt.at_launch) || (kSanitized && !attempt.in_sanitizers)) continue;
    const auto found = results.find(attempt.name);
    ASSERT_NE(found, results.end()) << attempt.name;
    EXPECT_THAT(found->second, testing::AnyOf(EPERM, EACCES, ENOSYS)) << attempt.name;
  }
}

}  // namespace

std::vector<Attempt> attempts() {
  std::vector<Attempt> list;
  add_paths(list);
  add_network(list);
  add_processes(list);
  add_kernel(list);
  add_lifeline(list);  // last, as it closes what others use
  return list;
}

Programs attempt_programs() {
  return {{"try_all", try_all}, {"try_all_confined", try_all_confined}, {"try_one_confined", try_one_confined}};
}

TEST(AttemptsTest, WorkInAnOrdinaryProcess) {
  const auto results = results_of(run_plainly("try_all"));
  for (const Attempt& attempt : attempts()) {
    const auto found = results.find(attempt.name);
    ASSERT_NE(found, results.end()) << attempt.name;
    if (attempt.works_else) {
      EXPECT_EQ(found->second, 0) << attempt.name;
    }
  }
}

TEST(AttemptsTest, FailAfterLaunch) {
  for (int landlock = 1; landlock <= probe_kernel().landlock; ++landlock) {
    SCOPED_TRACE(landlock);
    expect_denied(run_in_sandbox("try_all", landlock), true);
  }
}

// Without Landlock the filter has to do it alone.
TEST(AttemptsTest, FailInAConfinedProcess) {
  for (int landlock = 0; landlock <= probe_kernel().landlock; ++landlock) {
    SCOPED_TRACE(landlock);
    expect_denied(run_in_sandbox("try_all_confined", landlock), false);
  }
}

// Whoever was not started by launch() has no first filter that would cover for the second, and no lifeline.
TEST(AttemptsTest, FailInAProcessThatOnlyConfinedItself) {
  auto results = results_of(run_plainly("try_all_confined"));
  ASSERT_FALSE(results.empty());
  for (auto& [name, code] : results) {
    if (name.find("lifeline") != std::string::npos) code = EPERM;
  }
  expect_denied(results, false);
}

TEST(AttemptsTest, KillAndAreNamed) {
  const base::FileDescriptor data = data_file();
  for (const Attempt& attempt : attempts()) {
    if (attempt.call.empty()) continue;
    const Finished finished = run_confined(launch_policy(compute_access(Answer::refuse)), "try_one_confined",
                                           {attempt.name}, {{data.get(), kDataFd}});
    EXPECT_EQ(finished.exit.kind, Exit::Kind::forbidden) << attempt.name << ": " << finished.exit.describe();
    EXPECT_EQ(finished.exit.describe(), "was killed for a forbidden system call: " + attempt.call);
  }
}

}  // namespace ingle::security::test
