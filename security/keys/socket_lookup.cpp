#include "security/keys/socket_lookup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include "base/files.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;

constexpr size_t kMaxTableBytes = size_t{64} << 20;
constexpr unsigned kAllStates = 0xfff;

using NameOf = int (*)(int, sockaddr*, socklen_t*);

Result<SocketAddress> address_of(int socket, NameOf name_of) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (name_of(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    if (errno == ENOTSOCK || errno == ENOTCONN || errno == EBADF)
      return Error{ErrorCode::invalid_argument, "not a connected socket"};
    return base::errno_error(errno, "name", "a connection");
  }
  SocketAddress address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(address.ip.data() + 12, &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
    address.port = ntohs(v6.sin6_port);
  } else {
    return Error{ErrorCode::invalid_argument, "not an internet socket"};
  }
  return address;
}

// Files of /proc say that they are empty.
Result<std::string> read_table(const char* path) {
  const FileDescriptor fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 && errno == ENOENT) return std::string();
  if (fd.get() < 0) return base::errno_error(errno, "open", path);
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::errno_error(errno, "read", path);
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > kMaxTableBytes)
      return Error{ErrorCode::limit_exceeded, "there are too many connections to find one"};
  }
}

// A question to the kernel's socket monitor, as it travels.
struct Question {
  nlmsghdr header{};
  inet_diag_req_v2 request{};
};

// Addresses of version 4 lie in the first of four words. The monitor finds a connection of version 4 by these, however
// its ends spell the addresses.
void fill_address(const SocketAddress& address, __be32 (&ip)[4], __be16& port) {
  const bool v4 = address.version4();
  std::memcpy(ip, address.ip.data() + (v4 ? 12 : 0), v4 ? 4 : 16);
  port = htons(address.port);
}

SocketAddress read_address(int family, const __be32 (&ip)[4], __be16 port) {
  SocketAddress address;
  address.port = ntohs(port);
  if (family == AF_INET6) {
    std::memcpy(address.ip.data(), ip, 16);
  } else {
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(address.ip.data() + 12, ip, 4);
  }
  return address;
}

std::optional<SocketRow> read_answer(std::span<const std::byte> bytes) {
  nlmsghdr header{};
  inet_diag_msg message{};
  if (bytes.size() < NLMSG_LENGTH(sizeof message)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_LENGTH(sizeof message)) return std::nullopt;
  std::memcpy(&message, bytes.data() + NLMSG_HDRLEN, sizeof message);
  SocketRow row;
  row.local = read_address(message.idiag_family, message.id.idiag_src, message.id.idiag_sport);
  row.remote = read_address(message.idiag_family, message.id.idiag_dst, message.id.idiag_dport);
  row.state = message.idiag_state;
  row.uid = message.idiag_uid;
  row.inode = message.idiag_inode;
  return row;
}

}  // namespace

Result<SocketAddress> own_address(int socket) {
  return address_of(socket, ::getsockname);
}

Result<SocketAddress> other_address(int socket) {
  return address_of(socket, ::getpeername);
}

std::optional<SocketRow> ask_for_socket(const SocketAddress& local, const SocketAddress& remote) {
  const FileDescriptor monitor(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (monitor.get() < 0) return std::nullopt;
  // The kernel answers while it is asked; should it not, the tables are still there.
  const timeval patience{1, 0};
  ::setsockopt(monitor.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Question question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = local.version4() && remote.version4() ? AF_INET : AF_INET6;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = kAllStates;
  inet_diag_sockid& id = question.request.id;
  fill_address(local, id.idiag_src, id.idiag_sport);
  fill_address(remote, id.idiag_dst, id.idiag_dport);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(monitor.get(), &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question))
    return std::nullopt;
  std::array<std::byte, 8192> answer;
  const ssize_t n = ::recv(monitor.get(), answer.data(), answer.size(), 0);
  if (n <= 0) return std::nullopt;
  const auto row = read_answer(std::span(answer).first(static_cast<size_t>(n)));
  // Without such a connection, a socket that listens at `local` would come.
  if (!row || row->local != local || row->remote != remote) return std::nullopt;
  return row;
}

// In both tables: the other end may spell an address of version 4 as one of version 6.
Result<std::optional<SocketRow>> read_for_socket(const SocketAddress& local, const SocketAddress& remote) {
  bool read_any = false;
  for (const char* path : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    INGLE_TRY(const std::string table, read_table(path));
    if (table.empty()) continue;
    read_any = true;
    INGLE_TRY(const auto row, find_socket(table, local, remote));
    if (row) return row;
  }
  if (!read_any) return Error{ErrorCode::unsupported, "this system does not tell who is connected (/proc/net/tcp)"};
  return std::optional<SocketRow>();
}

}  // namespace ingle::security
