#include "cli/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

namespace ingle::cli {
namespace {

constexpr size_t kMaxMessage = 4096;

}  // namespace

void notify_starter(const Environment& environment, const std::string& lines) {
  const std::string name = environment.get("NOTIFY_SOCKET");
  sockaddr_un address = {};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return;
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract one
  const base::FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  (void)::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), length);
}

std::string reloading_message() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

base::Result<NotifySocket> NotifySocket::open() {
  NotifySocket notify;
  notify.socket_ = base::FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const int on = 1;
  socklen_t length = sizeof address;
  // An address without a name makes the kernel choose an abstract one that is free (unix(7), autobind).
  if (notify.socket_.get() < 0 ||
      ::bind(notify.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::setsockopt(notify.socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::getsockname(notify.socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      length <= offsetof(sockaddr_un, sun_path) + 1)
    return base::Error{base::ErrorCode::io_error, "cannot make a socket: " + std::string(std::strerror(errno))};
  notify.name_ = "@" + std::string(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
  return notify;
}

std::optional<std::string> NotifySocket::receive(pid_t from) {
  while (true) {
    char text[kMaxMessage];
    iovec part = {text, sizeof text};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(ucred))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    const ssize_t bytes = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (bytes < 0) return std::nullopt;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) continue;
      ucred credentials = {};
      std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
      if (credentials.pid == from) return std::string(text, static_cast<size_t>(bytes));
    }
  }
}

}  // namespace ingle::cli
