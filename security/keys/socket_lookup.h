// Finds a TCP socket of this machine by its two ends, in two ways: by asking the kernel's socket monitor for it, and by
// reading all of /proc/net/tcp and tcp6. The monitor (sock_diag(7), linux/inet_diag.h) takes microseconds, the tables
// up to milliseconds, as the kernel looks through its whole hash table; but a kernel may lack the monitor.
#pragma once

#include <optional>

#include "base/result.h"
#include "security/keys/socket_table.h"

namespace ingle::security {

/// The addresses of a connected internet socket's two ends. Errors: invalid_argument (another kind of socket, or not
/// connected), io_error.
base::Result<SocketAddress> own_address(int socket);
base::Result<SocketAddress> other_address(int socket);

/// The socket with these ends as the monitor knows it; nothing where it does not, or is not there.
std::optional<SocketRow> ask_for_socket(const SocketAddress& local, const SocketAddress& remote);

/// The same from the tables. A row can slip through while they are read. Errors: unsupported (no tables), corrupt,
/// limit_exceeded, io_error.
base::Result<std::optional<SocketRow>> read_for_socket(const SocketAddress& local, const SocketAddress& remote);

}  // namespace ingle::security
