// Telling whoever started a service how it is, by the protocol of sd_notify(3): datagrams of NAME=VALUE lines to the
// socket that NOTIFY_SOCKET names. systemd listens there, and so does `ingle serve --daemon`.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "cli/environment.h"

namespace ingle::cli {

/// Does nothing where nobody listens.
void notify_starter(const Environment& environment, const std::string& lines);
/// RELOADING=1 and when that was, which systemd wants to know.
std::string reloading_message();

/// The other end.
class NotifySocket {
 public:
  /// Error: io_error.
  static base::Result<NotifySocket> open();
  int descriptor() const { return socket_.get(); }
  /// For NOTIFY_SOCKET.
  const std::string& name() const { return name_; }
  /// What `from` sent; nothing: no word of it is there. Others' words are dropped.
  std::optional<std::string> receive(pid_t from);

 private:
  base::FileDescriptor socket_;
  std::string name_;
};

}  // namespace ingle::cli
