// One server in another's place, without a connection that is refused: the running one hands its listening sockets to
// the new one, which takes the first request when it is ready for it; the old one then completes what it has.
//
// Over FOLDER/PORT.sock, a Unix socket (SOCK_SEQPACKET) of the running server, in JSON, a packet each:
//   new: {"takeover":1,"version":"0.2.0"}
//   old: {"takeover":1,"socket":"/run/…"} with the TCP socket and, where there is one, the Unix socket (SCM_RIGHTS),
//        or {"error":"…"}
//   new: {"go":true,"with_socket":true}, once it can answer
//   old: {"gone":true}: it takes nobody any more, and its record is free
// Whoever closes before "go" changes nothing.
//
// Two sockets on one port (SO_REUSEPORT) would be simpler, but who waits in the old one's queue when it closes is
// reset.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "cli/running.h"
#include "server/http/http_server.h"

namespace ingle::cli {

/// Where a running server can be asked for its sockets.
class HandoverPoint {
 public:
  /// Errors: busy, io_error.
  static base::Result<HandoverPoint> open(const std::filesystem::path& folder, const RunningServer& self,
                                          server::HttpServer::Listeners listeners);
  HandoverPoint() = default;
  HandoverPoint(HandoverPoint&& other) noexcept = default;
  HandoverPoint& operator=(HandoverPoint&& other) noexcept;
  ~HandoverPoint();

  /// Readable: advance() has something to do. -1: nobody is there.
  int listener() const { return listener_.get(); }
  int newcomer() const { return newcomer_.get(); }
  struct Taken {
    bool with_socket = false;
  };
  /// Does what can be done without waiting long. A value: the newcomer takes over now.
  std::optional<Taken> advance();
  /// Hands over to nobody any more, and tells a newcomer that took over that the place is free.
  void leave();

 private:
  void welcome();
  std::filesystem::path path_;
  std::string socket_;
  base::FileDescriptor listener_, newcomer_;
  server::HttpServer::Listeners listeners_;
  bool taken_ = false;
};

/// The new server's side.
class Takeover {
 public:
  /// Errors: unsupported (it does not hand over), network (it does not answer), io_error.
  static base::Result<Takeover> begin(const std::filesystem::path& folder, const RunningServer& old,
                                      std::string_view version);
  /// What was handed over, once.
  server::HttpServer::Listeners listeners() { return std::move(listeners_); }
  /// Error: network (the old one is gone meanwhile, or does not answer).
  base::Status complete(bool with_socket);

 private:
  base::FileDescriptor line_;
  server::HttpServer::Listeners listeners_;
};

}  // namespace ingle::cli
