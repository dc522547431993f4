#include "assistant/inference/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;

namespace {

/// While it lives, a pipe that nobody reads is an error of this thread's write() and no signal, which would end the
/// process.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    const timespec at_once{};
    if (!was_pending_)
      while (::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

}  // namespace

Channel::Channel(base::FileDescriptor in, base::FileDescriptor out, std::chrono::milliseconds patience)
    : in_(std::move(in)), patience_(patience), out_(std::move(out)) {}

base::Status Channel::send(std::string_view bytes) {
  if (bytes.size() > kMostBytes)
    return Error{ErrorCode::limit_exceeded, std::to_string(bytes.size()) + " bytes are too much for a message"};
  const auto size = static_cast<uint32_t>(bytes.size());
  char head[sizeof size];
  std::memcpy(head, &size, sizeof size);
  const std::lock_guard lock(mutex_);
  if (!broken_) {
    base::Status written = write({head, sizeof head});
    if (written.ok()) written = write(bytes);
    broken_ = !written.ok();  // the other end would read on in the middle
  }
  if (broken_) return Error{ErrorCode::unavailable, "the model's process takes no more messages"};
  return {};
}

base::Status Channel::write(std::string_view bytes) {
  const NoPipeSignal no_signal;
  const Error gone{ErrorCode::unavailable, ""};
  while (!bytes.empty()) {
    const ssize_t n = ::write(out_.get(), bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return gone;
    pollfd room{out_.get(), POLLOUT, 0};
    const int ready = ::poll(&room, 1, static_cast<int>(patience_.count()));
    if (ready == 0 || (ready < 0 && errno != EINTR)) return gone;
  }
  return {};
}

// `first`: the other end may close before.
base::Result<bool> Channel::read(char* to, size_t count, bool first) {
  size_t have = 0;
  while (have < count) {
    const ssize_t n = ::read(in_.get(), to + have, count - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{ErrorCode::io_error, std::string("cannot read a message: ") + std::strerror(errno)};
    if (n == 0 && first && have == 0) return false;
    if (n == 0) return Error{ErrorCode::corrupt, "a message ends too soon"};
    have += static_cast<size_t>(n);
  }
  return true;
}

base::Result<std::optional<std::string>> Channel::receive() {
  uint32_t size = 0;
  char head[sizeof size];
  INGLE_TRY(const bool there, read(head, sizeof head, true));
  if (!there) return std::optional<std::string>();
  std::memcpy(&size, head, sizeof size);
  if (size > kMostBytes) return Error{ErrorCode::corrupt, "a message of " + std::to_string(size) + " bytes"};
  // Grows with what arrives: the size is only what the other end says.
  constexpr size_t kPiece = size_t{1} << 20;
  std::string bytes;
  while (bytes.size() < size) {
    const size_t had = bytes.size();
    bytes.resize(std::min<size_t>(size, had + kPiece));
    INGLE_CHECK(read(bytes.data() + had, bytes.size() - had, false));
  }
  return std::optional<std::string>(std::move(bytes));
}

void Channel::close_sending() {
  const std::lock_guard lock(mutex_);
  broken_ = true;
  (void)out_.close();
}

}  // namespace ingle::assistant
