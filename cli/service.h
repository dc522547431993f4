// A server's life: where it listens and whose place it takes, that others find it, reloading and ending.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/running.h"
#include "cli/session.h"
#include "cli/takeover.h"
#include "server/server.h"

namespace ingle::cli {

/// As the settings say.
server::ServerOptions server_options(const Session& session);

class Service {
 public:
  /// Listens, on sockets of its own or, with --replace, on those of a server that runs. Errors: as Server::listen; busy
  /// names the server of this user that has the port.
  static base::Result<Service> begin(const Session& session, server::Server& server,
                                     const server::ServerOptions& options);

  /// Another server still answers at this address, until ready(): this one must not run before.
  bool replaces() const { return takeover_.has_value(); }
  std::string address() const { return self_.address(); }
  /// "Ctrl-C stops", or what else does.
  std::string how_to_stop() const;
  /// The server can answer: takes over, and tells whoever started it. `status`: a line for people. Error: as
  /// Takeover::complete.
  base::Status ready(const std::string& status);
  /// Until it is to end, by a signal or because another has taken its place; SIGHUP reloads.
  void wait();

 private:
  Service(const Session& session, server::Server& server) : session_(&session), server_(&server) {}
  base::Status register_self();
  void reload();

  const Session* session_;
  server::Server* server_;
  std::filesystem::path folder_;
  RunningServer self_;
  bool with_socket_ = false;
  std::optional<Takeover> takeover_;
  ServerRecord record_;
  HandoverPoint handover_;
};

}  // namespace ingle::cli
