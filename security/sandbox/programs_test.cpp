// main() of the test program, the children's programs, and what the tests start them with.
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "security/sandbox/test_programs.h"

namespace ingle::security::test {
namespace {

bool confine(const Access& access, Checks& checks) {
  const auto confined = confine_self(access, kReportFd);
  checks.expect(confined.ok(), confined.ok() ? "" : confined.error().message);
  return confined.ok();
}

int64_t sum_in_threads() {
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&sum, t] {
      for (int64_t i = t; i < 100000; i += 4) sum += i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return sum;
}

// What the engine does all day, after the doors are closed.
int compute(Arguments) {
  Checks checks;
  if (!confine(compute_access(), checks)) return checks.status();
  checks.expect(sum_in_threads() == int64_t{99999} * 100000 / 2, "threads compute");

  const std::string expected = kData;
  std::string text(expected.size(), '\0');
  checks.expect(::read(kDataFd, text.data(), text.size()) == std::ssize(text) && text == expected, "reads");
  struct stat info{};
  checks.expect(::fstat(kDataFd, &info) == 0 && info.st_size == std::ssize(text), "fstat");
  void* mapped = ::mmap(nullptr, text.size(), PROT_READ, MAP_SHARED, kDataFd, 0);
  checks.expect(mapped != MAP_FAILED && std::memcmp(mapped, expected.data(), expected.size()) == 0, "maps");
  checks.expect(::write(kDataFd, "x", 1) < 0 && errno == EBADF, "does not write what it may read");

  std::vector<char> large(size_t{64} << 20, 1);
  checks.expect(large.back() == 1, "allocates");
  try {
    throw std::runtime_error("thrown");
  } catch (const std::exception& error) {
    checks.expect(std::string(error.what()) == "thrown", "throws");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  checks.expect(::prctl(PR_SET_NAME, "compute") == 0, "names a thread");
  cpu_set_t cores;
  checks.expect(::sched_getaffinity(0, sizeof cores, &cores) == 0, "reads its affinity");
  checks.expect(::pthread_setaffinity_np(::pthread_self(), sizeof cores, &cores) == 0, "pins threads");
  checks.expect(::write(kResultFd, "done", 4) == 4, "writes to a pipe");
  return checks.status();
}

// A C library that finds no way to its file must not bring the process down.
int path_with_kill(Arguments) {
  Checks checks;
  if (!confine(compute_access(Answer::kill), checks)) return checks.status();
  checks.expect(kSanitized || ::open("/etc/passwd", O_RDONLY) < 0, "opens nothing");
  struct stat info{};
  checks.expect(kSanitized || (::stat("/etc/passwd", &info) < 0 && errno == EPERM), "sees no file");
  return checks.status();
}

int parser(Arguments arguments) {
  Checks checks;
  Access access = compute_access();
  access.calls = Calls::parser;
  access.threads = arguments[0] == "threads";
  if (!confine(access, checks)) return checks.status();
  std::string text(std::strlen(kData), '\0');
  checks.expect(::read(kDataFd, text.data(), text.size()) == std::ssize(text), "reads");
  bool started = true;
  try {
    std::thread([] {}).join();
  } catch (const std::system_error&) {
    started = false;
  }
  checks.expect(!started, "starts no thread");
  return checks.status();
}

std::string open_descriptors() {
  std::string list;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) list += std::to_string(fd) + " ";
  }
  return list;
}

int show_descriptors(Arguments) {
  const std::string list = open_descriptors();
  return ::write(1, list.data(), list.size()) == std::ssize(list) ? 0 : 1;
}

int show_environment(Arguments) {
  std::string list;
  for (char** line = environ; *line != nullptr; ++line) list += std::string(*line) + "\n";
  return ::write(1, list.data(), list.size()) == std::ssize(list) ? 0 : 1;
}

// The state that launch() promises, before the process does anything about it itself.
int state(Arguments arguments) {
  Checks checks;
  checks.expect(std::filesystem::current_path() == "/", "the folder is /");
  checks.expect(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no new privileges");
  checks.expect(::getsid(0) == ::getpid(), "a session of its own");
  checks.expect(std::to_string(::getpriority(PRIO_PROCESS, 0)) == arguments[0], "its priority");
  checks.expect(::umask(0) == 077, "its umask");
  struct rlimit limit{};
  checks.expect(::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0, "no memory image");
  checks.expect(::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 64, "64 descriptors");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  checks.expect(::syscall(SYS_capget, &header, data) == 0 && (data[0].permitted | data[1].permitted) == 0,
                "no capabilities");
  struct sigaction action{};
  checks.expect(::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL, "SIGPIPE is as it was");
  sigset_t blocked;
  checks.expect(::sigprocmask(SIG_SETMASK, nullptr, &blocked) == 0 && sigismember(&blocked, SIGUSR1) == 0,
                "no signal is blocked");
  return checks.status();
}

int exhaust_memory(Arguments) {
  Checks checks;
  if (!confine(compute_access(), checks)) return checks.status();
  size_t got = 0;
  for (constexpr size_t piece = size_t{16} << 20; got < size_t{4} << 30; got += piece) {
    if (::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
  }
  checks.expect(errno == ENOMEM, "runs out of memory");
  checks.expect(got >= size_t{64} << 20 && got <= size_t{512} << 20, std::to_string(got) + " bytes");
  return checks.status();
}

int exhaust_descriptors(Arguments) {
  Checks checks;
  if (!confine(compute_access(), checks)) return checks.status();
  int count = 0;
  while (count < 1000 && ::dup(kDataFd) >= 0) ++count;
  checks.expect(errno == EMFILE && count < 64, "runs out of descriptors");
  return checks.status();
}

int grow_file(Arguments) {
  const std::vector<char> block(4096, 'x');
  for (int i = 0; i < 100; ++i) {
    if (::write(kResultFd, block.data(), block.size()) < 0) return 1;
  }
  return 0;
}

int burn_cpu(Arguments) {
  volatile uint64_t count = 0;
  while (true) count = count + 1;
}

int crash(Arguments arguments) {
  Checks checks;
  if (!confine(compute_access(Answer::kill), checks)) return checks.status();
  if (arguments[0] == "abort") std::abort();
  ::raise(SIGSEGV);
  return 0;
}

int wait_for_ever(Arguments) {
  Checks checks;
  if (!confine(compute_access(), checks)) return checks.status();
  if (::write(1, "ready", 5) != 5) return 1;
  while (true) ::pause();
}

int threads_first(Arguments) {
  Checks checks;
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) std::this_thread::yield();
  });
  const auto confined = confine_self(compute_access());
  stop = true;
  other.join();
  checks.expect(kSanitized || (!confined.ok() && confined.error().code == base::ErrorCode::invalid_argument),
                "must not confine half of itself");
  return checks.status();
}

// Nobody may look into the memory of a process that holds conversations, nor may it change what SIGSYS does.
int closed(Arguments) {
  Checks checks;
  if (!confine(compute_access(), checks)) return checks.status();
  checks.expect(kSanitized || ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "is closed to debuggers");
  return checks.status();
}

// Holds a confined child and is killed; see LaunchTest.DiesWithItsStarter.
int hold_a_child(Arguments) {
  const Ends output = make_pipe();
  auto child =
      launch(launch_policy(), self_program(), {"child", kProgramFlag, "wait_for_ever"}, {{output.write.get(), 1}});
  char ready[5];
  if (!child.ok() || ::read(output.read.get(), ready, sizeof ready) != sizeof ready) return 1;
  const std::string id = std::to_string(child->pid());
  if (::write(1, id.data(), id.size()) != std::ssize(id)) return 1;
  ::close(1);
  while (true) ::pause();
}

// A plugin with a folder to read and one to write.
int plugin(Arguments arguments) {
  Checks checks;
  const std::filesystem::path readable = arguments[0], writable = arguments[1], secret = arguments[2];
  Access access = compute_access();
  access.calls = Calls::plugin;
  access.readable = {readable};
  access.writable = {writable};
  if (!confine(access, checks)) return checks.status();
  const auto opens = [](const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags, 0600);
    const bool opened = fd >= 0;
    if (opened) ::close(fd);
    return opened;
  };
  checks.expect(opens(readable / "given", O_RDONLY), "reads what is readable");
  checks.expect(opens(readable, O_RDONLY | O_DIRECTORY), "lists what is readable");
  checks.expect(!opens(readable / "given", O_WRONLY), "does not write what is readable");
  checks.expect(!opens(readable / "new", O_WRONLY | O_CREAT), "makes nothing where it reads");
  checks.expect(::unlink((readable / "given").c_str()) != 0, "removes nothing where it reads");
  checks.expect(opens(writable / "new", O_RDWR | O_CREAT), "makes files");
  checks.expect(::rename((writable / "new").c_str(), (writable / "moved").c_str()) == 0, "renames files");
  checks.expect(::rename((writable / "moved").c_str(), (readable / "moved").c_str()) != 0, "moves nothing out");
  checks.expect(::unlink((writable / "moved").c_str()) == 0, "removes files");
  checks.expect(!opens(secret, O_RDONLY), "does not read what was not given");
  checks.expect(!opens(readable / ".." / "secret", O_RDONLY), "does not climb out");
  checks.expect(!opens(readable / "link", O_RDONLY), "does not follow a link out");
  checks.expect(!opens("/etc/passwd", O_RDONLY), "does not read the system");
  checks.expect(::chmod((writable / "kept").c_str(), 0777) != 0, "changes no modes");
  checks.expect(::truncate(secret.c_str(), 0) != 0, "truncates nothing");
  checks.expect(::truncate((readable / "given").c_str(), 0) != 0, "truncates nothing that it reads");
  checks.expect(::socket(AF_INET, SOCK_STREAM, 0) < 0, "has no network");
  return checks.status();
}

int with_network(Arguments) {
  Checks checks;
  Access access = compute_access();
  access.network = true;
  if (!confine(access, checks)) return checks.status();
  checks.expect(::socket(AF_INET, SOCK_STREAM, 0) >= 0, "has internet sockets");
  checks.expect(::socket(AF_INET6, SOCK_DGRAM, 0) >= 0, "has internet sockets of version 6");
  checks.expect(::socket(AF_UNIX, SOCK_STREAM, 0) < 0, "has no others");
  return checks.status();
}

// Nothing filters system calls: what Landlock closes by itself.
int landlock_alone(Arguments) {
  Checks checks;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
  checks.expect(tcp >= 0, "makes a socket");
  checks.expect(::connect(tcp, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 && errno == EACCES,
                "connects to nothing");
  checks.expect(::kill(::getppid(), 0) < 0 && errno == EPERM, "signals nobody");
  return checks.status();
}

int with_processes(Arguments arguments) {
  Checks checks;
  Access access = compute_access();
  access.processes = true;
  access.calls = Calls::plugin;
  access.readable = {"/lib", "/usr"};
  if (std::filesystem::exists("/lib64")) access.readable.emplace_back("/lib64");
  if (!confine(access, checks)) return checks.status();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(arguments[0].c_str(), arguments[0].c_str(), nullptr);
    ::_exit(99);
  }
  int status = -1;
  checks.expect(child > 0 && ::waitpid(child, &status, 0) == child, "starts a process");
  checks.expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "runs a program: " + std::to_string(status));
  return checks.status();
}

}  // namespace

Programs basic_programs() {
  return {{"compute", compute},
          {"path_with_kill", path_with_kill},
          {"parser", parser},
          {"show_descriptors", show_descriptors},
          {"show_environment", show_environment},
          {"state", state},
          {"exhaust_memory", exhaust_memory},
          {"exhaust_descriptors", exhaust_descriptors},
          {"grow_file", grow_file},
          {"burn_cpu", burn_cpu},
          {"crash", crash},
          {"wait_for_ever", wait_for_ever},
          {"threads_first", threads_first},
          {"closed", closed},
          {"hold_a_child", hold_a_child},
          {"plugin", plugin},
          {"with_network", with_network},
          {"landlock_alone", landlock_alone},
          {"with_processes", with_processes}};
}

void Checks::expect(bool condition, const std::string& what) {
  if (condition) return;
  failed_ = true;
  const std::string line = "not so: " + what + " (errno " + std::to_string(errno) + ")\n";
  (void)!::write(1, line.data(), line.size());
}

Access compute_access(Answer answer) {
  Access access;
  access.forbidden = answer;
  access.sanitizers = kSanitized;
  return access;
}

Policy launch_policy(Access access) {
  Policy policy;
  policy.access = std::move(access);
  if (kSanitized) {
    // What the run-time libraries read when they start, and a search for leaks that would trace the process.
    policy.access.readable.emplace_back("/proc");
    policy.environment = {{"ASAN_OPTIONS", "detect_leaks=0:handle_segv=0:handle_abort=0:allow_user_segv_handler=1"},
                          {"TSAN_OPTIONS", "handle_segv=0:handle_abort=0:report_bugs=1"}};
  }
  return policy;
}

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

Ends make_pipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

base::FileDescriptor data_file() {
  std::string name = testing::TempDir() + "sandbox-data.XXXXXX";
  const base::FileDescriptor writing(::mkostemp(name.data(), O_CLOEXEC));
  EXPECT_EQ(::write(writing.get(), kData, std::strlen(kData)), std::ssize(std::string_view(kData)));
  base::FileDescriptor reading(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  ::unlink(name.c_str());
  return reading;
}

Finished run_confined(const Policy& policy, const std::string& program, std::vector<std::string> arguments,
                      std::vector<PassedFd> descriptors, const Kernel& kernel) {
  Ends output = make_pipe();
  std::vector<std::string> words = {"child", kProgramFlag, program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  descriptors.push_back({output.write.get(), 1});
  if (kSanitized) descriptors.push_back({STDERR_FILENO, 2});
  auto child = launch(policy, self_program(), words, descriptors, kernel);
  if (!child.ok()) {
    ADD_FAILURE() << child.error().message;
    return {};
  }
  (void)output.write.close();
  Finished finished;
  finished.output = read_to_end(output.read.get());
  const auto exit = child->wait();
  EXPECT_TRUE(exit.ok());
  finished.exit = **exit;
  return finished;
}

}  // namespace ingle::security::test

int main(int argc, char** argv) {
  using namespace ingle::security::test;
  if (argc > 2 && argv[1] == std::string_view(kProgramFlag)) {
    const std::vector<std::string> arguments(argv + 3, argv + argc);
    Programs programs = basic_programs();
    programs.merge(attempt_programs());
    const auto found = programs.find(argv[2]);
    // Not through exit(): the sanitizers' last words need what a confined process has not.
    ::_exit(found == programs.end() ? 98 : found->second(arguments));
  }
  ::testing::InitGoogleTest(&argc, argv);
  const auto kernel = ingle::security::probe_kernel();
  if (!missing_on(kernel).empty() || !kernel.close_range) {
    for (const auto& protection : describe(kernel)) {
      if (!protection.enforced) std::printf("skipping what needs it: %s\n", protection.by.c_str());
    }
    testing::GTEST_FLAG(filter) = "KernelTest.*";
  }
  return RUN_ALL_TESTS();
}
