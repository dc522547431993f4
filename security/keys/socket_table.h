// /proc/net/tcp and /proc/net/tcp6: a heading, then a row for each TCP socket, with its two addresses, state, owner and
// inode. Format: get_tcp4_sock in Linux's net/ipv4/tcp_ipv4.c and get_tcp6_sock in net/ipv6/tcp_ipv6.c;
// https://docs.kernel.org/networking/proc_net_tcp.html
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace ingle::security {

/// An address and port. One of version 4 is kept as version 6 maps it (::ffff:a.b.c.d), as the two ends of a connection
/// may spell it differently.
struct SocketAddress {
  std::array<uint8_t, 16> ip{};
  uint16_t port = 0;
  bool version4() const;
  /// 127.0.0.0/8 or ::1.
  bool loopback() const;
  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

struct SocketRow {
  SocketAddress local, remote;
  unsigned state = 0;  ///< of include/net/tcp_states.h: 1 established, 6 time-wait, 8 close-wait, …
  uid_t uid = 0;
  uint64_t inode = 0;  ///< 0: no process has it open
  /// Whether `uid` is the owner's. Of a socket that its process has closed, the kernel writes user 0: root.
  bool owned() const;
};

/// The row of the socket with these ends, or nothing. `text` is the whole file, either version. Error: corrupt.
base::Result<std::optional<SocketRow>> find_socket(std::string_view text, const SocketAddress& local,
                                                   const SocketAddress& remote);

/// One row, without its line feed. Error: corrupt.
base::Result<SocketRow> parse_socket_row(std::string_view line);

}  // namespace ingle::security
