#include "security/keys/peer.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "base/files.h"
#include "security/keys/socket_lookup.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// The table is read in pieces while connections come and go, and a row can slip through between two pieces.
constexpr int kTries = 3;

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
  INGLE_TRY(const SocketAddress here, own_address(socket));
  INGLE_TRY(const SocketAddress there, other_address(socket));
  if (!here.loopback() || !there.loopback())
    return Error{ErrorCode::permission_denied, "the other end of the connection is not on this machine's loopback"};
  std::optional<SocketRow> row = ask_for_socket(there, here);
  for (int i = 0; !row && i < kTries; ++i) {
    INGLE_TRY(row, read_for_socket(there, here));
  }
  if (row && row->owned()) return Peer{row->uid, 0};
  return Error{ErrorCode::permission_denied, "nobody owns the other end of the connection; it was closed"};
}

}  // namespace ingle::security
