#include "cli/service.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "assistant/conversations/retention.h"
#include "cli/interrupt.h"
#include "cli/keys.h"
#include "cli/notify.h"
#include "cli/version.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

fs::path socket_path(const Session& session) {
  const std::string given = session.values.text("socket");
  if (given == "none") return {};
  if (!given.empty()) return expand_home(given, session.environment);
  const std::string runtime = session.environment.get("XDG_RUNTIME_DIR");
  return runtime.empty() ? fs::path() : fs::path(runtime) / "ingle" / "server.sock";
}

/// A terminal that is closed ends what runs in it, by SIGHUP; only where there is none does it mean to reload.
bool has_terminal() {
  return base::FileDescriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

/// Who has what `options` ask for.
std::optional<RunningServer> owner(const fs::path& folder, const server::ServerOptions& options) {
  const auto servers = running_servers(folder);
  if (!servers) return std::nullopt;
  for (const RunningServer& server : *servers)
    if (server.port == options.port || (!server.socket.empty() && server.socket == options.socket)) return server;
  return std::nullopt;
}

Error taken(const RunningServer& by, const server::ServerOptions& options) {
  const std::string way_out = by.port == options.port
                                  ? "; 'ingle stop' ends it, --replace takes its place, --port chooses another place"
                                  : "; --socket chooses another Unix socket than " + by.socket + ", which it has";
  return {ErrorCode::busy, by.already_running() + way_out};
}

}  // namespace

server::ServerOptions server_options(const Session& session) {
  const Values& values = session.values;
  const auto file = [&](const char* name) { return fs::path(expand_home(values.text(name), session.environment)); };
  server::ServerOptions options;
  options.host = values.text("host");
  options.port = static_cast<uint16_t>(values.integer("port"));
  options.socket = socket_path(session);
  options.keys = keys_folder(session);
  options.tls = {file("tls-cert"), file("tls-key")};
  options.insecure_http = values.flag("insecure-http");
  options.allow_origins = values.list("allow-origin");
  options.allow_hosts = values.list("allow-host");
  // Checked when it was read.
  if (const auto days = assistant::parse_retention(values.text("keep-conversations"))) options.keep_days = *days;
  return options;
}

Result<Service> Service::begin(const Session& session, server::Server& server, const server::ServerOptions& options) {
  Service service(session, server);
  service.folder_ = servers_folder(session);
  INGLE_TRY(const auto running, running_server(service.folder_, options.port));
  if (running && !session.values.flag("replace")) return taken(*running, options);
  server::HttpServer::Listeners inherited;
  if (running) {
    INGLE_TRY(service.takeover_, Takeover::begin(service.folder_, *running, version_text()));
    inherited = service.takeover_->listeners();
    service.with_socket_ = running->socket == options.socket.string();
    if (!service.with_socket_) inherited.socket = base::FileDescriptor();
  }
  if (const Status listening = server.listen(inherited); !listening) {
    const auto other = listening.error().code == ErrorCode::busy ? owner(service.folder_, options) : std::nullopt;
    return other ? taken(*other, options) : listening.error();
  }
  for (const std::string& warning : server.warnings()) session.terminal.notice("ingle: " + warning);
  if (!has_terminal()) catch_hangups();
  service.self_ = {.pid = ::getpid(),
                   .version = std::string(version_text()),
                   .host = options.host,
                   .port = server.port(),
                   .socket = options.socket.string(),
                   .tls = options.tls.named()};
  if (!service.replaces()) INGLE_CHECK(service.register_self());
  return service;
}

std::string Service::how_to_stop() const {
  return has_terminal() ? "Ctrl-C stops" : "'ingle stop' stops it";
}

Status Service::register_self() {
  INGLE_TRY(record_, ServerRecord::create(folder_, self_));
  INGLE_TRY(handover_, HandoverPoint::open(folder_, self_, server_->listeners()));
  return {};
}

Status Service::ready(const std::string& status) {
  if (takeover_) {
    INGLE_CHECK(takeover_->complete(with_socket_));
    takeover_.reset();
    // There is no way back now: one that can't be found is better than none.
    if (const Status found = register_self(); !found)
      session_->terminal.notice("ingle: 'ingle ps' and 'ingle stop' will not find this server: " +
                                found.error().message);
  }
  notify_starter(session_->environment, "READY=1\nSTATUS=" + status);
  return {};
}

void Service::reload() {
  notify_starter(session_->environment, reloading_message());
  Session fresh = *session_;
  fresh.values = Values(options_of(*fresh.command));
  Status status = resolve_settings(fresh);
  if (status) status = server_->reload(server_options(fresh));
  session_->terminal.notice(status ? "ingle: reloaded"
                                   : "ingle: nothing was reloaded, as " + std::string(status.error().message));
  if (status)
    for (const std::string& warning : server_->warnings()) session_->terminal.notice("ingle: " + warning);
  notify_starter(session_->environment, "READY=1");
}

void Service::wait() {
  while (!interrupted()) {
    pollfd events[] = {
        {interrupt_descriptor(), POLLIN, 0}, {handover_.listener(), POLLIN, 0}, {handover_.newcomer(), POLLIN, 0}};
    poll(events, 3, -1);
    if (take_hangup()) reload();
    if (const auto taken = handover_.advance()) {
      session_->terminal.notice("ingle: another server takes over; what is in progress here is completed");
      server_->hand_over(taken->with_socket);
      record_ = ServerRecord();
      break;
    }
  }
  handover_.leave();
  notify_starter(session_->environment, "STOPPING=1");
}

}  // namespace ingle::cli
