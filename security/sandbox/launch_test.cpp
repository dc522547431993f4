// What a child of launch() has and has not, how its end is told, and what does not leak; with real children.
#include "security/sandbox/launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "security/sandbox/test_programs.h"

namespace ingle::security::test {
namespace {

using base::ErrorCode;
using base::FileDescriptor;
using std::chrono::milliseconds;

void expect_clean(const Finished& finished) {
  EXPECT_EQ(finished.exit.describe(), "ended with status 0") << finished.output;
  EXPECT_EQ(finished.output, "");
}

base::Result<Child> launch_program(const std::string& program, const std::vector<PassedFd>& descriptors = {}) {
  return launch(launch_policy(), self_program(), {"child", kProgramFlag, program}, descriptors);
}

// A child that has confined itself and waits.
struct Waiting {
  Waiting() : output(make_pipe()), child(launch_program("wait_for_ever", {{output.write.get(), 1}})) {
    (void)output.write.close();
    char ready[5];
    EXPECT_TRUE(child.ok());
    EXPECT_EQ(::read(output.read.get(), ready, sizeof ready), std::ssize(ready));
  }
  Ends output;
  base::Result<Child> child;
};

class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "sandbox.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST(LaunchTest, AConfinedChildComputes) {
  const FileDescriptor data = data_file();
  Ends result = make_pipe();
  expect_clean(run_confined(launch_policy(), "compute", {}, {{data.get(), kDataFd}, {result.write.get(), kResultFd}}));
  (void)result.write.close();
  EXPECT_EQ(read_to_end(result.read.get()), "done");
}

TEST(LaunchTest, ComputesWithoutLandlock) {
  Kernel kernel = probe_kernel();
  kernel.landlock = 0;
  kernel.landlock_problem = "none";
  Policy policy = launch_policy();
  policy.access.require_full = false;
  const FileDescriptor data = data_file();
  const Ends result = make_pipe();
  expect_clean(run_confined(policy, "compute", {}, {{data.get(), kDataFd}, {result.write.get(), kResultFd}}, kernel));
  const auto child = launch(policy, self_program(), {"child", kProgramFlag, "state", "0"}, {}, kernel);
  ASSERT_TRUE(child.ok());
  EXPECT_THAT(child->missing(), testing::ElementsAre("none: files are not closed off"));
}

TEST(LaunchTest, AParserHasNoThreads) {
  if (kSanitized) GTEST_SKIP() << "ThreadSanitizer itself ends a process that can't start a thread";
  const FileDescriptor data = data_file();
  expect_clean(run_confined(launch_policy(), "parser", {"threads"}, {{data.get(), kDataFd}}));
  const FileDescriptor again = data_file();
  expect_clean(run_confined(launch_policy(), "parser", {"none"}, {{again.get(), kDataFd}}));
}

TEST(LaunchTest, PathsFailSoftly) {
  expect_clean(run_confined(launch_policy(compute_access(Answer::kill)), "path_with_kill"));
}

TEST(LaunchTest, ThreadsForbidConfining) {
  expect_clean(run_confined(launch_policy(), "threads_first"));
}

TEST(LaunchTest, IsClosedToDebuggers) {
  expect_clean(run_confined(launch_policy(), "closed"));
}

TEST(LaunchTest, StateOfTheChild) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  Policy policy = launch_policy();
  policy.niceness = 3;
  const int expected = std::min(::getpriority(PRIO_PROCESS, 0) + 3, 19);
  expect_clean(run_confined(policy, "state", {std::to_string(expected)}));
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(sigismember(&after, SIGUSR1), 1) << "the starter's mask is as it was";
  EXPECT_EQ(sigismember(&after, SIGUSR2), 0);
}

TEST(LaunchTest, HasTheDescriptorsThatItWasGiven) {
  const FileDescriptor data = data_file();
  std::vector<FileDescriptor> stray;
  for (int i = 0; i < 100; ++i) stray.emplace_back(::dup(data.get()));  // not closed at exec
  const Finished finished = run_confined(launch_policy(), "show_descriptors", {}, {{data.get(), 9}, {data.get(), 63}});
  EXPECT_EQ(finished.output, "0 1 2 3 4 9 63 ");
}

TEST(LaunchTest, NothingLeaksBetweenThreads) {
  const FileDescriptor data = data_file();
  std::vector<std::string> outputs(8);
  std::vector<std::thread> threads;
  for (std::string& output : outputs) {
    threads.emplace_back([&] {
      for (int i = 0; i < 8; ++i)
        output += run_confined(launch_policy(), "show_descriptors", {}, {{data.get(), 5}}).output;
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string expected;
  for (int i = 0; i < 8; ++i) expected += "0 1 2 3 4 5 ";
  for (const std::string& output : outputs) EXPECT_EQ(output, expected);
}

TEST(LaunchTest, LeavesNoDescriptorBehind) {
  const auto count = [] {
    const std::filesystem::directory_iterator list("/proc/self/fd");
    return std::distance(begin(list), end(list));
  };
  run_confined(launch_policy(), "show_descriptors");
  const auto before = count();
  run_confined(launch_policy(), "show_descriptors");
  EXPECT_FALSE(launch(launch_policy(), "/nowhere", {"x"}, {}).ok());
  EXPECT_EQ(count(), before);
}

TEST(LaunchTest, MovesDescriptorsAcrossOneAnother) {
  // 5 and 6 change places: each is in the other's way.
  const Ends first = make_pipe(), second = make_pipe();
  Policy policy = launch_policy();
  const auto child = launch(policy, self_program(), {"child", kProgramFlag, "show_environment"},
                            {{first.write.get(), 2}, {second.write.get(), 1}});
  ASSERT_TRUE(child.ok());
  ASSERT_EQ(::write(first.write.get(), "a", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(first.read.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'a');
}

TEST(LaunchTest, HasTheEnvironmentThatItWasGiven) {
  Policy policy = launch_policy();
  policy.environment.emplace_back("LANG", "C");
  std::string expected;
  for (const auto& [name, value] : policy.environment) expected += name + "=" + value + "\n";
  EXPECT_EQ(run_confined(policy, "show_environment").output, expected);
}

TEST(LaunchTest, MemoryIsBounded) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves terabytes";
  Policy policy = launch_policy();
  policy.limits.address_space = uint64_t{256} << 20;
  expect_clean(run_confined(policy, "exhaust_memory"));
  policy.limits.address_space.reset();
  policy.limits.data = uint64_t{256} << 20;
  expect_clean(run_confined(policy, "exhaust_memory"));
}

TEST(LaunchTest, DescriptorsAreBounded) {
  const FileDescriptor data = data_file();
  expect_clean(run_confined(launch_policy(), "exhaust_descriptors", {}, {{data.get(), kDataFd}}));
}

TEST(LaunchTest, FilesAndTimeAreBounded) {
  const Folder folder;
  const FileDescriptor file(::open((folder.path() / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Policy policy = launch_policy();
  policy.limits.file_size = 10000;
  policy.limits.cpu_seconds = 1;
  EXPECT_EQ(run_confined(policy, "grow_file", {}, {{file.get(), kResultFd}}).exit.describe(),
            "was killed by signal 25 (SIGXFSZ)");
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "f"), 10000U);
  // Soft and hard limit are the same second, where the kernel looks at the hard one first.
  EXPECT_THAT(run_confined(policy, "burn_cpu").exit.signal, testing::AnyOf(SIGXCPU, SIGKILL));
}

TEST(LaunchTest, CrashesAreNamed) {
  EXPECT_EQ(run_confined(launch_policy(), "crash", {"abort"}).exit.describe(), "was killed by signal 6 (SIGABRT)");
  EXPECT_EQ(run_confined(launch_policy(), "crash", {"segv"}).exit.describe(), "was killed by signal 11 (SIGSEGV)");
}

TEST(LaunchTest, WaitsForATime) {
  Waiting waiting;
  const auto running = waiting.child->wait(milliseconds(20));
  ASSERT_TRUE(running.ok());
  EXPECT_FALSE(running->has_value());
  waiting.child->kill();
  for (int i = 0; i < 2; ++i) {
    const auto ended = waiting.child->wait();
    ASSERT_TRUE(ended.ok() && ended->has_value());
    EXPECT_EQ((*ended)->describe(), "was killed by signal 9 (SIGKILL)");
  }
}

TEST(LaunchTest, DiesWithItsHandle) {
  pid_t pid = -1;
  {
    const Waiting waiting;
    pid = waiting.child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), -1) << "no zombie is left";
}

TEST(LaunchTest, SurvivesTheThreadThatStartedIt) {
  std::optional<Waiting> waiting;
  std::thread([&] { waiting.emplace(); }).join();
  const auto running = waiting->child->wait(milliseconds(100));
  ASSERT_TRUE(running.ok());
  EXPECT_FALSE(running->has_value());
}

TEST(LaunchTest, DiesWithItsStarter) {
  // This test starts a process that starts a confined one and is killed; the orphan's end comes to us.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  Ends output = make_pipe();
  const pid_t starter = ::fork();
  if (starter == 0) {
    ::dup2(output.write.get(), 1);
    ::execl("/proc/self/exe", "starter", kProgramFlag, "hold_a_child", nullptr);
    ::_exit(97);
  }
  (void)output.write.close();
  const std::string text = read_to_end(output.read.get());
  ASSERT_NE(text, "");
  const pid_t orphan = std::stoi(text);
  EXPECT_EQ(::kill(orphan, 0), 0);
  ::kill(starter, SIGKILL);
  ASSERT_EQ(::waitpid(starter, nullptr, 0), starter);
  int status = 0;
  ASSERT_EQ(::waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(LaunchTest, APluginKeepsToItsFolders) {
  if (kSanitized) GTEST_SKIP() << "without Landlock, for the sanitizers' own files";
  const Folder folder;
  const auto readable = folder.path() / "readable", writable = folder.path() / "writable",
             secret = folder.path() / "secret";
  std::filesystem::create_directory(readable);
  std::filesystem::create_directory(writable);
  for (const auto& path : {readable / "given", writable / "kept", secret}) std::ofstream(path) << "text";
  std::filesystem::create_symlink(secret, readable / "link");
  Access access = compute_access();
  access.calls = Calls::plugin;
  access.readable = {readable};
  access.writable = {writable};
  expect_clean(run_confined(launch_policy(access), "plugin", {readable, writable, secret}));
  // What the starter leaves open the process closes itself.
  access.writable = {folder.path(), "/etc"};
  expect_clean(run_confined(launch_policy(access), "plugin", {readable, writable, secret}));
  EXPECT_EQ(std::filesystem::file_size(secret), 4U);
  EXPECT_EQ(std::filesystem::file_size(readable / "given"), 4U);
}

TEST(LaunchTest, NetworkAndProcessesOnRequest) {
  Access access = compute_access();
  access.network = true;
  expect_clean(run_confined(launch_policy(access), "with_network"));
  access = compute_access();
  access.processes = true;
  access.readable = {"/bin/true"};
  expect_clean(run_confined(launch_policy(access), "with_processes", {"/usr/bin/true"}));
}

TEST(LaunchTest, LandlockAloneClosesNetworkAndSignals) {
  Kernel kernel = probe_kernel();
  if (kernel.landlock < 6) GTEST_SKIP() << "Landlock " << kernel.landlock << " does not know all of it";
  kernel.filter = false;
  Policy policy = launch_policy();
  policy.access.require_full = false;
  expect_clean(run_confined(policy, "landlock_alone", {}, {}, kernel));
}

TEST(LaunchTest, RefusesWhatItCannotDo) {
  const auto code = [](const base::Result<Child>& child) {
    return child.ok() ? "started" : base::error_code_name(child.error().code);
  };
  const Policy policy = launch_policy();
  const auto self = self_program();
  EXPECT_EQ(code(launch(policy, "/nowhere", {"x"}, {})), "not_found");
  EXPECT_EQ(code(launch(policy, self, {"x"}, {{0, 3}})), "invalid_argument") << "the sandbox's own";
  EXPECT_EQ(code(launch(policy, self, {"x"}, {{0, 64}})), "invalid_argument");
  EXPECT_EQ(code(launch(policy, self, {"x"}, {{0, 5}, {1, 5}})), "invalid_argument");
  EXPECT_EQ(code(launch(policy, self, {"x"}, {{-1, 5}})), "io_error");
  EXPECT_EQ(code(launch(policy, self, {std::string("x\0y", 3)}, {})), "invalid_argument");
  EXPECT_EQ(code(launch(policy, "/etc/passwd", {"x"}, {})), "permission_denied");
  Policy missing = policy;
  missing.access.readable.emplace_back("/nowhere");
  EXPECT_EQ(code(launch(missing, self, {"x"}, {})), "not_found");
  Kernel old = probe_kernel();
  old.landlock = 0;
  old.landlock_problem = "this kernel has no Landlock (Linux 5.13 and later have)";
  const auto refused = launch(policy, self, {"x"}, {}, old);
  EXPECT_EQ(code(refused), "unsupported");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("Linux 5.13"));
  old.close_range = false;
  Policy weaker = policy;
  weaker.access.require_full = false;
  EXPECT_EQ(code(launch(weaker, self, {"x"}, {}, old)), "unsupported");
}

// Root is not bound by permissions: what holds for root by capabilities alone has to hold for others, too.
TEST(LaunchTest, EverythingHoldsForAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "the tests run as an ordinary user already";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(96);
    ::setenv("TEST_TMPDIR", "/tmp", 1);  // ours may be closed to others
    ::execl("/proc/self/exe", "as_nobody", "--gtest_brief=1", nullptr);
    ::_exit(97);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 97) GTEST_SKIP() << "another user can't reach the test program";
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

}  // namespace ingle::security::test
