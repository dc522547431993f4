// A confined child process, as its starter holds it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace ingle::security {

/// How a process ended.
struct Exit {
  enum class Kind {
    exited,
    killed,     ///< by a signal, ours included
    forbidden,  ///< for a system call that it may not make
  };
  Kind kind = Kind::exited;
  int status = 0;    ///< of exited
  int signal = 0;    ///< of killed, and SIGSYS of forbidden
  std::string call;  ///< of forbidden: "socket"; empty where the process had not confined itself yet
  /// "ended with status 1", "was killed by signal 11 (SIGSEGV)", "was killed for a forbidden system call: socket".
  std::string describe() const;
  bool clean() const { return kind == Kind::exited && status == 0; }
};

/// Owns the process: destroying this kills it and waits for its end. When the owner's process ends in whatever way, the
/// kernel kills the child; that the thread which started it ends does not matter. For one thread at a time, but kill().
class Child {
 public:
  Child() = default;
  Child(pid_t pid, base::FileDescriptor process, base::FileDescriptor report, base::FileDescriptor lifeline,
        std::vector<std::string> missing);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  /// Readable when the process has ended (a pidfd), for poll.
  int descriptor() const { return process_.get(); }
  /// What the kernel lacks for a full confinement; empty unless the policy bore with that.
  const std::vector<std::string>& missing() const { return missing_; }

  /// Waits for the end, at most for `timeout` where there is one; nothing: it runs still. Once it has ended, gives the
  /// same answer again. Errors: io_error.
  base::Result<std::optional<Exit>> wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  /// Ends it at once (SIGKILL). No effect on one that has ended.
  void kill() const;

 private:
  void finish();
  Exit read_exit(int code, int status) const;

  pid_t pid_ = -1;
  base::FileDescriptor process_;
  base::FileDescriptor report_;
  base::FileDescriptor lifeline_;
  std::vector<std::string> missing_;
  std::optional<Exit> exit_;
};

}  // namespace ingle::security
