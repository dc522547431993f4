#include "security/sandbox/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>

#include "security/sandbox/filter.h"
#include "security/sandbox/report.h"

namespace ingle::security {
namespace {

using base::FileDescriptor;
using base::Result;
using Clock = std::chrono::steady_clock;

// waitid's name for a pidfd; Debian 12's headers have it in glibc only, and not as a plain constant.
constexpr auto kByDescriptor = static_cast<idtype_t>(3);

std::string signal_name(int number) {
  const char* abbreviation = ::sigabbrev_np(number);
  return "signal " + std::to_string(number) +
         (abbreviation == nullptr ? "" : " (SIG" + std::string(abbreviation) + ")");
}

// The time left as poll takes it: rounded up, so that it is not asked again for less than a millisecond.
int poll_timeout(std::optional<Clock::time_point> end) {
  if (!end) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX));
}

}  // namespace

std::string Exit::describe() const {
  switch (kind) {
    case Kind::exited:
      return "ended with status " + std::to_string(status);
    case Kind::killed:
      return "was killed by " + signal_name(signal);
    case Kind::forbidden:
      return "was killed for a forbidden system call" + (call.empty() ? std::string() : ": " + call);
  }
  return {};
}

Child::Child(pid_t pid, FileDescriptor process, FileDescriptor report, FileDescriptor lifeline,
             std::vector<std::string> missing)
    : pid_(pid),
      process_(std::move(process)),
      report_(std::move(report)),
      lifeline_(std::move(lifeline)),
      missing_(std::move(missing)) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      report_(std::move(other.report_)),
      lifeline_(std::move(other.lifeline_)),
      missing_(std::move(other.missing_)),
      exit_(std::move(other.exit_)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  finish();
  pid_ = std::exchange(other.pid_, -1);
  process_ = std::exchange(other.process_, FileDescriptor());
  report_ = std::exchange(other.report_, FileDescriptor());
  lifeline_ = std::exchange(other.lifeline_, FileDescriptor());
  missing_ = std::move(other.missing_);
  exit_ = std::move(other.exit_);
  return *this;
}

Child::~Child() {
  finish();
}

void Child::finish() {
  if (pid_ < 0 || exit_) return;
  kill();
  (void)wait();
}

void Child::kill() const {
  // By the descriptor: the number may be another process's by now.
  if (process_.get() >= 0) ::syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0);
}

Result<std::optional<Exit>> Child::wait(std::optional<std::chrono::milliseconds> timeout) {
  if (exit_) return exit_;
  const auto end = timeout ? std::optional(Clock::now() + *timeout) : std::nullopt;
  pollfd waiting{process_.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&waiting, 1, poll_timeout(end))) < 0) {
    if (errno != EINTR) return base::errno_error(errno, "wait for", "a child process");
  }
  if (ready == 0) return std::optional<Exit>();
  siginfo_t info{};
  while (::waitid(kByDescriptor, static_cast<id_t>(process_.get()), &info, WEXITED) != 0) {
    if (errno != EINTR) return base::errno_error(errno, "wait for", "a child process");
  }
  exit_ = read_exit(info.si_code, info.si_status);
  return exit_;
}

Exit Child::read_exit(int code, int status) const {
  if (code == CLD_EXITED) return {.kind = Exit::Kind::exited, .status = status};
  Exit exit{.kind = Exit::Kind::killed, .signal = status};
  if (status != SIGSYS) return exit;
  exit.kind = Exit::Kind::forbidden;
  Report report;
  // The child's word, and the child may be hostile: at worst the name is wrong.
  if (::read(report_.get(), &report, sizeof report) == sizeof report && report.magic == Report::kMagic)
    exit.call = call_name(report.call);
  return exit;
}

}  // namespace ingle::security
