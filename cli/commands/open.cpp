// ingle open: the app in a browser, and a service that shows it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <ctime>

#include "base/files.h"
#include "cli/composition.h"
#include "cli/daemon.h"
#include "cli/keys.h"
#include "cli/models.h"
#include "cli/running.h"
#include "security/keys/keys.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int64_t kCodeSeconds = 300;

/// The server at --port, or the only one; nothing: there is none.
Result<std::optional<RunningServer>> find_server(const Session& session) {
  INGLE_TRY(const auto servers, running_servers(servers_folder(session)));
  const auto port = static_cast<uint16_t>(session.values.integer("port"));
  for (const RunningServer& server : servers)
    if (server.port == port) return std::optional(server);
  const bool any = session.values.at("port").origin == Origin::fallback;
  if (any && servers.size() == 1) return std::optional(servers.front());
  return std::optional<RunningServer>();
}

Result<RunningServer> start_server(Session& session) {
  std::vector<std::string> more;
  if (composition(session).has(assistant::ModuleId::engine)) {
    INGLE_TRY(const std::string asked, model_or_default(session));
    const bool chosen = !session.argument(0).empty() || !session.values.text("model").empty();
    const auto here = local_model(session, asked);
    if (!here && here.error().code == ErrorCode::not_found && !chosen) {
      more.emplace_back("--without-model");  // the page shows what there is, and fetches what the person chooses
    } else {
      INGLE_TRY([[maybe_unused]] const auto installed, ensure_model(session, asked));  // with its progress, here
    }
  }
  INGLE_CHECK(start_daemon(session, more));
  INGLE_TRY(const auto started, find_server(session));
  if (!started) return Error{ErrorCode::internal, "the server that was started can't be found"};
  return *started;
}

/// Where a browser on this machine finds it.
std::string page_of(RunningServer server) {
  if (server.host == "0.0.0.0") server.host = "127.0.0.1";
  if (server.host == "::") server.host = "::1";
  return server.address() + "/";
}

/// An address that lets who opens it in, once.
Result<std::string> address_with_code(const Session& session, const std::string& page) {
  INGLE_TRY(security::Keys keys, security::Keys::open(keys_folder(session)));
  INGLE_TRY(const std::string name, security::new_id());
  const int64_t now = std::time(nullptr);
  INGLE_TRY(const auto code, keys.create("code " + name, {security::Scope::page}, now + kCodeSeconds, now));
  return page + "#code=" + code.token;
}

std::optional<fs::path> find_opener(const Session& session) {
  if (session.environment.get("DISPLAY").empty() && session.environment.get("WAYLAND_DISPLAY").empty())
    return std::nullopt;
  const std::string path = session.environment.get("PATH");
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    fs::path program = fs::path(path.substr(begin, end - begin)) / "xdg-open";
    if (program.is_absolute() && ::access(program.c_str(), X_OK) == 0) return program;
    begin = end + 1;
  }
  return std::nullopt;
}

/// Others on this machine see what a program is called with. So the browser gets a file that its owner alone can read,
/// and that sends it on.
Status open_browser(const Session& session, const fs::path& opener, const std::string& address) {
  const fs::path file = servers_folder(session) / "open.html";
  INGLE_CHECK(base::write_file_atomic(
      file,
      "<!doctype html><meta charset=utf-8><meta name=referrer content=no-referrer><title>Ingle</title>"
      "<meta http-equiv=refresh content=\"0;url=" +
          address + "\"><a href=\"" + address + "\">Ingle</a>\n",
      base::Readers::owner));
  std::string program = opener.string(), argument = file.string();
  char* const words[] = {program.data(), argument.data(), nullptr};
  std::vector<std::string> settings = session.environment.strings();
  std::vector<char*> variables;
  for (std::string& setting : settings) variables.push_back(setting.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  const int failure = posix_spawn(&child, program.c_str(), &actions, nullptr, words, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return base::errno_error(failure, "start", opener);
  int status = 0;
  ::waitpid(child, &status, 0);  // it hands on to the browser and ends
  if (status != 0) return Error{ErrorCode::not_found, "no browser could be opened"};
  return {};
}

Status run(Session& session) {
  INGLE_TRY(std::optional<RunningServer> server, find_server(session));
  if (!server) {
    INGLE_TRY(server, start_server(session));
  }
  const std::string page = page_of(*server);
  INGLE_TRY(const std::string address, address_with_code(session, page));
  if (session.json()) return session.out_json({{"address", address}, {"expires_in", kCodeSeconds}});
  const auto opener = session.values.flag("print") ? std::nullopt : find_opener(session);
  if (opener) {
    const Status opened = open_browser(session, *opener, address);
    if (opened) {
      session.terminal.notice("ingle: opened " + page + " in your browser");
      return {};
    }
    session.terminal.notice("ingle: " + opened.error().message);
  }
  session.terminal.notice("ingle: open this address in a browser, once and within five minutes");
  return session.terminal.out(address + "\n");
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "the model that the service begins with, if none runs yet", .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "print", .help = "print the address, and open nothing"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle open", "The app, with the default model. 'ingle' alone does the same."},
    {"ingle open --print", "The address, for a browser that you open yourself."},
};

}  // namespace

extern const Command open_record;
const Command open_record{
    .name = "open",
    .summary = "open the app in a browser",
    .description =
        "Starts a service in the background, unless one of yours runs ('ingle serve'), and shows its page: chats, "
        "models, settings. Where no model is here yet, the page helps to choose and fetch one. Without a display it "
        "prints the address instead. The address holds a code that lets one "
        "browser in, once and for five minutes; the page then has a key of its own for 30 days, which 'ingle key list' "
        "shows and 'ingle key revoke' ends.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine | group_server | group_modules,
    .examples = examples,
    .order = 5,
    .run = run,
};

}  // namespace ingle::cli
