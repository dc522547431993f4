#include "security/keys/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "base/files.h"
#include "security/keys/socket_table.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;

constexpr size_t kMaxTableBytes = size_t{64} << 20;
// The table is read in pieces while connections come and go, and a row can slip through between two pieces.
constexpr int kTries = 3;

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

// In both tables: the other end may spell an address of version 4 as one of version 6.
Result<std::optional<SocketRow>> look_for(const SocketAddress& local, const SocketAddress& remote) {
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

}  // namespace

Result<Peer> unix_peer(int socket) {
  int domain = 0;
  socklen_t length = sizeof domain;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX)
    return Error{ErrorCode::invalid_argument, "not a Unix socket"};
  ucred credentials{};
  length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
    return base::errno_error(errno, "ask who is at", "the other end of a socket");
  // What the kernel says of a socket without another end.
  if (credentials.uid == static_cast<uid_t>(-1)) return Error{ErrorCode::invalid_argument, "not a connected socket"};
  return Peer{credentials.uid, credentials.pid};
}

Result<Peer> loopback_peer(int socket) {
  INGLE_TRY(const SocketAddress here, address_of(socket, ::getsockname));
  INGLE_TRY(const SocketAddress there, address_of(socket, ::getpeername));
  if (!here.loopback() || !there.loopback())
    return Error{ErrorCode::permission_denied, "the other end of the connection is not on this machine's loopback"};
  for (int i = 0; i < kTries; ++i) {
    INGLE_TRY(const auto row, look_for(there, here));
    if (!row) continue;
    if (row->owned()) return Peer{row->uid, 0};
    break;
  }
  return Error{ErrorCode::permission_denied, "nobody owns the other end of the connection; it was closed"};
}

}  // namespace ingle::security
