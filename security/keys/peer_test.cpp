#include "security/keys/peer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "base/files.h"
#include "security/keys/socket_lookup.h"

namespace ingle::security {
namespace {

using base::FileDescriptor;

std::string_view code_of(const auto& result) {
  return result.ok() ? "ok" : base::error_code_name(result.error().code);
}

constexpr std::string_view kHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
// Rows as a kernel wrote them.
constexpr std::string_view kRow =
    "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 31337 2 0 20 4 30 10 "
    "-1";
constexpr std::string_view kRow6 =
    "   0: 00000000000000000000000001000000:0016 0000000000000000FFFF00000100007F:C350 08 00000000:00000000 02:000A1 "
    "00000000     0        0 99 1 0";

SocketAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  SocketAddress address;
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
  address.port = port;
  return address;
}

TEST(SocketTableTest, ReadsARow) {
  const auto row = parse_socket_row(kRow);
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->local, v4(127, 0, 0, 1, 50000));
  EXPECT_EQ(row->remote, v4(127, 0, 0, 1, 8080));
  EXPECT_EQ(row->uid, 1000U);
  EXPECT_EQ(row->inode, 31337U);
  EXPECT_TRUE(row->owned());
  EXPECT_TRUE(row->local.loopback());
}

TEST(SocketTableTest, ReadsARowOfVersion6) {
  const auto row = parse_socket_row(kRow6);
  ASSERT_TRUE(row.ok());
  SocketAddress one;
  one.ip[15] = 1;
  one.port = 22;
  EXPECT_EQ(row->local, one);
  EXPECT_TRUE(row->local.loopback());
  EXPECT_EQ(row->remote, v4(127, 0, 0, 1, 50000)) << "a mapped address is the same";
  EXPECT_FALSE(SocketAddress().loopback());
  EXPECT_FALSE(v4(10, 0, 0, 1, 1).loopback());
}

// A socket in time-wait has no process, and the kernel writes 0 for its owner.
TEST(SocketTableTest, NobodyOwnsAClosedSocket) {
  const auto row = parse_socket_row(
      "   2: 0100007F:C350 0100007F:1F90 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->uid, 0U);
  EXPECT_FALSE(row->owned());
  const auto orphan = parse_socket_row(
      "   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 03:00001770 00000000     0        0 0 3 0");
  EXPECT_FALSE(orphan->owned());
}

TEST(SocketTableTest, FindsByBothEnds) {
  const std::string table = std::string(kHeading) + std::string(kRow6) + "\n" + std::string(kRow) + "\n";
  const auto here = v4(127, 0, 0, 1, 50000), there = v4(127, 0, 0, 1, 8080);
  EXPECT_EQ((*find_socket(table, here, there))->uid, 1000U);
  EXPECT_FALSE(find_socket(table, there, here)->has_value()) << "the other direction is the other socket";
  EXPECT_FALSE(find_socket(table, v4(127, 0, 0, 1, 50001), there)->has_value());
  EXPECT_FALSE(find_socket(kHeading, here, there)->has_value());
}

TEST(SocketTableTest, RefusesDamage) {
  for (const std::string_view line :
       {"", "x", "0: 0100007F:C350", "0: 0100007F:C350 0100007F:1F90 01 0 0 0 -1 0 5",
        "0: 0100007F:C350 0100007F:1F90 01 0 0 0 1000 0 x", "0: 0100007F:C350 0100007F:1F9 01 0 0 0 1000 0 5",
        "0: 0100007G:C350 0100007F:1F90 01 0 0 0 1000 0 5", "0: 0100007F:C350 0100007F:1F90 01 0 0 0 4294967296 0 5",
        "0: 010000:7FC350 0100007F:1F90 01 0 0 0 1000 0 5"})
    EXPECT_EQ(code_of(parse_socket_row(line)), "corrupt") << line;
  EXPECT_EQ(code_of(find_socket("", {}, {})), "corrupt");
  EXPECT_EQ(code_of(find_socket(std::string(kHeading) + std::string(kRow), {}, {})), "corrupt") << "cut off";
}

// A listening socket on loopback and a connection to it; `mapped` has the client spell the address in version 6.
struct Connection {
  explicit Connection(int server_family, int client_family, std::optional<uid_t> client_uid = std::nullopt) {
    const FileDescriptor listener(::socket(server_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address = loopback(server_family, server_family == AF_INET6 && client_family == AF_INET6);
    const int off = 0;
    if (server_family == AF_INET6) ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size_of(server_family)), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    const in_port_t port = port_of(address);
    address = loopback(client_family, client_family == AF_INET6 && server_family == AF_INET6);
    set_port(address, port);
    // seteuid changes only what new files belong to; it is undone below.
    EXPECT_EQ(client_uid ? ::seteuid(*client_uid) : 0, 0);
    client = FileDescriptor(::socket(client_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(client_uid ? ::seteuid(0) : 0, 0);
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size_of(client_family)), 0);
    server = FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_GE(server.get(), 0);
  }

  // ::1, or 127.0.0.1, which in version 6 is spelled ::ffff:127.0.0.1.
  static sockaddr_storage loopback(int family, bool version6) {
    sockaddr_storage storage{};
    if (family == AF_INET) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      std::memcpy(&storage, &v4, sizeof v4);
    } else {
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      EXPECT_EQ(::inet_pton(AF_INET6, version6 ? "::1" : "::ffff:127.0.0.1", &v6.sin6_addr), 1);
      std::memcpy(&storage, &v6, sizeof v6);
    }
    return storage;
  }
  static socklen_t size_of(int family) { return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
  // The port is at the same place in both.
  static in_port_t port_of(const sockaddr_storage& address) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return v4.sin_port;
  }
  static void set_port(sockaddr_storage& address, in_port_t port) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    v4.sin_port = port;
    std::memcpy(&address, &v4, sizeof v4);
  }

  FileDescriptor client, server;
};

bool has_version6() {
  const FileDescriptor probe(::socket(AF_INET6, SOCK_STREAM, 0));
  const sockaddr_storage one = Connection::loopback(AF_INET6, true);
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&one), sizeof(sockaddr_in6)) == 0;
}

// The monitor's answer is the tables' row.
void expect_both_ways_agree(int socket) {
  const auto here = own_address(socket), there = other_address(socket);
  ASSERT_TRUE(here.ok() && there.ok());
  const auto read = read_for_socket(*there, *here);
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_TRUE((*read)->owned());
  const auto asked = ask_for_socket(*there, *here);
  if (!asked) GTEST_SKIP() << "this kernel has no socket monitor";
  EXPECT_EQ(asked->local, (*read)->local);
  EXPECT_EQ(asked->remote, (*read)->remote);
  EXPECT_EQ(asked->state, (*read)->state);
  EXPECT_EQ(asked->uid, (*read)->uid);
  EXPECT_EQ(asked->inode, (*read)->inode);
}

class LoopbackPeerTest : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(LoopbackPeerTest, IsWhoConnected) {
  const auto [server, client] = GetParam();
  if ((server == AF_INET6 || client == AF_INET6) && !has_version6())
    GTEST_SKIP() << "this machine has no IPv6 loopback";
  const Connection connection(server, client);
  const auto peer = loopback_peer(connection.server.get());
  ASSERT_TRUE(peer.ok()) << peer.error().message;
  EXPECT_EQ(peer->uid, ::geteuid());
  expect_both_ways_agree(connection.server.get());
  if (::geteuid() != 0) return;
  const Connection other(server, client, 4242);
  EXPECT_EQ(loopback_peer(other.server.get())->uid, 4242U);
  EXPECT_EQ(loopback_peer(other.client.get())->uid, 0U) << "from the other side it is us";
  expect_both_ways_agree(other.server.get());
}

INSTANTIATE_TEST_SUITE_P(Versions, LoopbackPeerTest,
                         testing::Values(std::pair(AF_INET, AF_INET), std::pair(AF_INET6, AF_INET6),
                                         std::pair(AF_INET6, AF_INET), std::pair(AF_INET, AF_INET6)));

TEST(LoopbackTest, AClosedEndIsNobodys) {
  Connection connection(AF_INET, AF_INET);
  (void)connection.client.close();
  EXPECT_EQ(code_of(loopback_peer(connection.server.get())), "permission_denied");
  const auto here = own_address(connection.server.get()), there = other_address(connection.server.get());
  const auto asked = ask_for_socket(*there, *here);
  EXPECT_FALSE(asked && asked->owned());
  const auto read = read_for_socket(*there, *here);
  EXPECT_FALSE(read->has_value() && (*read)->owned());
  // Nor is the socket that listens taken for an end.
  EXPECT_FALSE(ask_for_socket(*here, *here).has_value());
  // Half closed, its owner still holds it.
  Connection half(AF_INET, AF_INET);
  ASSERT_EQ(::shutdown(half.server.get(), SHUT_WR), 0);
  EXPECT_EQ(code_of(loopback_peer(half.server.get())), "ok");
}

TEST(LoopbackTest, RefusesOtherSockets) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const FileDescriptor a(ends[0]), b(ends[1]);
  EXPECT_EQ(code_of(loopback_peer(a.get())), "invalid_argument");
  const FileDescriptor alone(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(code_of(loopback_peer(alone.get())), "invalid_argument");
  EXPECT_EQ(code_of(loopback_peer(-1)), "invalid_argument");
}

TEST(UnixPeerTest, IsWhoConnected) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const FileDescriptor a(ends[0]), b(ends[1]);
  const auto peer = unix_peer(a.get());
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->pid, ::getpid());
}

TEST(UnixPeerTest, TellsAnotherProcessAndUser) {
  const FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // An abstract name that the kernel chooses: nothing to remove.
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  socklen_t length = sizeof address;
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const bool root = ::geteuid() == 0;
  const pid_t child = ::fork();
  if (child == 0) {
    if (root && ::setuid(4242) != 0) ::_exit(1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) ::_exit(2);
    char byte;
    ::_exit(::read(fd, &byte, 1) == 0 ? 0 : 3);
  }
  FileDescriptor server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const auto peer = unix_peer(server.get());
  (void)server.close();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->pid, child);
  EXPECT_EQ(peer->uid, root ? 4242U : ::geteuid());
}

TEST(UnixPeerTest, RefusesOtherSockets) {
  const FileDescriptor alone(::socket(AF_UNIX, SOCK_STREAM, 0)), tcp(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(code_of(unix_peer(alone.get())), "invalid_argument");
  EXPECT_EQ(code_of(unix_peer(tcp.get())), "invalid_argument");
  EXPECT_EQ(code_of(unix_peer(-1)), "invalid_argument");
}

}  // namespace
}  // namespace ingle::security
