#include "store/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/files.h"
#include "store/system.h"

namespace ingle::store {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> open_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return base::errno_error(errno, "create", "a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Between fork and exec only what is safe after a fork in a program with threads.
[[noreturn]] void run_child(char* const* arguments, char* const* environment, int null, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(null, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

void keep_tail(std::string& text, size_t max) {
  if (text.size() > 2 * max) text.erase(0, text.size() - max);
}

// One read of a pipe; closes it at its end.
void drain(UniqueFd& fd, std::string& text, size_t max) {
  std::array<char, 16384> buffer{};
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) {
    text.append(buffer.data(), static_cast<size_t>(n));
    keep_tail(text, max);
  } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
    fd = UniqueFd();
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProcessResult> run_process(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                                  double timeout_seconds, const std::function<bool()>& cancelled, size_t max_output) {
  INGLE_TRY(Pipe out, open_pipe());
  INGLE_TRY(Pipe err, open_pipe());
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return base::errno_error(errno, "open", "/dev/null");
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  const pid_t child = ::fork();
  if (child < 0) return base::errno_error(errno, "start", command[0]);
  if (child == 0) run_child(arguments.data(), variables.data(), null.get(), out.write.get(), err.write.get());
  ::setpgid(child, child);  // both sides set it, so that it is set before either goes on
  out.write = UniqueFd();
  err.write = UniqueFd();
  ProcessResult result;
  const auto start = std::chrono::steady_clock::now();
  while (out.read || err.read) {
    const bool late = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > timeout_seconds;
    if (late || (cancelled && cancelled())) {
      ::kill(-child, SIGKILL);
      wait_for(child);
      if (late) return Error{ErrorCode::network, command[0] + " took too long"};
      return Error{ErrorCode::cancelled, "cancelled"};
    }
    std::array<pollfd, 2> polled{{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), 100) <= 0) continue;
    if (out.read && polled[0].revents != 0) drain(out.read, result.output, max_output);
    if (err.read && polled[1].revents != 0) drain(err.read, result.errors, max_output);
  }
  result.exit_code = wait_for(child);
  return result;
}

}  // namespace ingle::store
