// Who is at the other end of a connection from this machine, as the kernel says: no token is needed to know the user.
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace ingle::security {

struct Peer {
  uid_t uid = 0;
  pid_t pid = 0;  ///< as it was when the connection was made; that number may be another process's by now. 0: not known
};

/// Of a connected Unix socket: who called connect() (SO_PEERCRED, unix(7)). Errors: invalid_argument (another kind of
/// socket, or not connected), io_error.
base::Result<Peer> unix_peer(int socket);

/// Of an accepted TCP connection over loopback: the owner of the socket at the other end, as the kernel lists it; pid
/// is not known. The owner is who made the socket, who may have handed it on. Errors: permission_denied (the other end
/// is not this machine, or closed already: then nobody owns it), unsupported (the kernel lists no connections),
/// corrupt, invalid_argument, limit_exceeded, io_error.
base::Result<Peer> loopback_peer(int socket);

}  // namespace ingle::security
