// Each attempt to reach others is made before, where it has to work, and after.
#include "security/sandbox/egress.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "base/files.h"

namespace ingle::security {
namespace {

using base::FileDescriptor;

/// A listener on a free port of the loopback, and its address.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(fd.get(), plain, size) != 0 || ::listen(fd.get(), 8) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
  }
  FileDescriptor fd;
  sockaddr_in address{};
};

int error_of(int64_t result) {
  return result < 0 ? errno : 0;
}

int connect_to(int fd, const sockaddr_in& address) {
  return error_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

/// 0, or errno of making such a socket.
int make_socket(int family, int type) {
  return error_of(FileDescriptor(::socket(family, type | SOCK_CLOEXEC, 0)).get());
}

/// The exit status of a child that runs `what`; the number of the first check that failed, 0: none did.
int in_child(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(what());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(EgressTest, NothingReachesOutAnyMoreAndWhatListensAnswers) {
  const auto run = [] {
    const Listener listener;
    const FileDescriptor early(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const FileDescriptor late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect_to(early.get(), listener.address) != 0) return 1;
    if (make_socket(AF_INET, SOCK_DGRAM) != 0) return 2;
    // Somebody else connects while this process only accepts.
    if (connect_to(client.get(), listener.address) != 0) return 3;
    // A thread from before is bound, too.
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return 4;
    int in_thread = 0;
    std::thread before([&] {
      char byte = 0;
      (void)!::read(pipe_ends[0], &byte, 1);
      in_thread = make_socket(AF_INET, SOCK_STREAM);
    });
    const bool given_up = give_up_connecting().ok() && give_up_connecting().ok();
    (void)!::write(pipe_ends[1], "x", 1);
    before.join();
    if (!given_up) return 5;
    if (in_thread != EPERM) return 6;
    for (const int family : {AF_INET, AF_INET6, AF_PACKET, AF_VSOCK, AF_BLUETOOTH})
      for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW})
        if (make_socket(family, type) != EPERM) return 7;
    if (connect_to(late.get(), listener.address) != EPERM) return 8;
    sockaddr_in nowhere{};
    nowhere.sin_family = AF_UNSPEC;  // dissolves a connection, so that another can be made
    if (connect_to(early.get(), nowhere) != EPERM) return 9;
    const auto* there = reinterpret_cast<const sockaddr*>(&listener.address);
    if (error_of(::sendto(late.get(), "x", 1, MSG_FASTOPEN, there, sizeof listener.address)) != EPERM) return 10;
    // What is asked is still answered.
    const FileDescriptor accepted(::accept(listener.fd.get(), nullptr, nullptr));
    if (accepted.get() < 0 || ::send(accepted.get(), "x", 1, MSG_NOSIGNAL) != 1) return 11;
    char byte = 0;
    if (::recv(early.get(), &byte, 1, 0) != 1 || byte != 'x') return 12;
    if (make_socket(AF_UNIX, SOCK_DGRAM) != 0 || make_socket(AF_NETLINK, SOCK_DGRAM) != 0) return 13;
    return 0;
  };
  EXPECT_EQ(in_child(run), 0);
}

TEST(EgressTest, WhatItStartsIsBoundToo) {
  EXPECT_EQ(in_child([] {
              if (!give_up_connecting().ok()) return 1;
              return in_child([] { return make_socket(AF_INET, SOCK_STREAM) == EPERM ? 0 : 2; });
            }),
            0);
}

}  // namespace
}  // namespace ingle::security
