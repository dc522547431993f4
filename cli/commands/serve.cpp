// ingle serve [MODEL]: the engine behind the APIs that other programs speak.
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "assistant/inference/model_service.h"
#include "assistant/pacing/pacer.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/keys.h"
#include "cli/models.h"
#include "server/server.h"

namespace ingle::cli {
namespace {

using base::Result;
using base::Status;

/// Serves on a thread of its own, and is done with it at the end.
class Running {
 public:
  explicit Running(server::Server& server) : server_(server), thread_([&server] { server.run(); }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  server::Server& server_;
  std::thread thread_;
};

/// Each connection takes a descriptor, and 1024 are fewer than clients may hold.
void allow_many_files() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void wait_for_signal() {
  pollfd signal{interrupt_descriptor(), POLLIN, 0};
  while (!interrupted()) poll(&signal, 1, -1);
}

/// What clients may call the model: as it was asked for, its name, and its file's.
std::vector<std::string> names_of(const std::string& asked, const store::InstalledModel& installed) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  const bool path = is_plain_path(asked);
  add(path ? installed.path.stem().string() : installed.name);
  if (!path) add(asked);
  const size_t count = names.size();
  for (size_t i = 0; i < count; ++i) add(names[i] + ":latest");
  return names;
}

std::filesystem::path socket_path(const Session& session) {
  const std::string given = session.values.text("socket");
  if (given == "none") return {};
  if (!given.empty()) return expand_home(given, session.environment);
  const std::string runtime = session.environment.get("XDG_RUNTIME_DIR");
  return runtime.empty() ? std::filesystem::path() : std::filesystem::path(runtime) / "ingle" / "server.sock";
}

/// Has the model follow what others do on the device.
std::unique_ptr<assistant::Pacer> pacer_of(assistant::ModelService& model) {
  return assistant::make_pacer(model.info().threads, {.busy = [&model] { return model.stats().running > 0; },
                                                      .own = [] { return std::vector<int>{::getpid()}; },
                                                      .set = [&model](const auto& pace) { model.set_pace(pace); }});
}

Status run(Session& session) {
  INGLE_TRY(const std::string asked, model_or_default(session));
  server::ServerOptions options;
  options.host = session.values.text("host");
  options.port = static_cast<uint16_t>(session.values.integer("port"));
  options.socket = socket_path(session);
  options.keys = keys_folder(session);
  options.allow_origins = session.values.list("allow-origin");
  options.allow_hosts = session.values.list("allow-host");
  allow_many_files();
  server::Server server(options);
  INGLE_CHECK(server.listen());
  // While the model is loaded, /health tells that it is.
  const Running running(server);
  INGLE_TRY(LoadedModel loaded, load_model(session, asked, engine_options(session)));
  core::SchedulerOptions scheduling;
  scheduling.max_running = static_cast<uint32_t>(session.values.integer("parallel"));
  scheduling.max_waiting = static_cast<uint32_t>(session.values.integer("queue"));
  const auto names = names_of(asked, loaded.installed);
  auto service = assistant::ModelService::start(names.front(), std::move(loaded.engine), scheduling);
  assistant::ModelService& model = *service;  // stays until the server ends
  server.add_model(names, std::move(service));
  const std::unique_ptr<assistant::Pacer> pacer = session.values.flag("adapt") ? pacer_of(model) : nullptr;
  const std::string address = "http://" + options.host + ":" + std::to_string(server.port());
  session.terminal.notice("ingle: serving " + names.front() + " at " + address +
                          (options.socket.empty() ? "" : " and " + options.socket.string()) + "; Ctrl-C stops");
  wait_for_signal();
  return {};
}

constexpr Argument arguments[] = {{.name = "MODEL", .help = "a model's name or path", .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "host",
     .type = ValueType::text,
     .metavar = "H",
     .help = "address to listen on; only those of this machine, as requests need no key",
     .fallback = "127.0.0.1"},
    {.name = "port",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "port to listen on; 0: any that is free",
     .fallback = "11911",
     .minimum = 0,
     .maximum = 65535},
    {.name = "socket",
     .type = ValueType::path,
     .metavar = "PATH",
     .help = "Unix socket to listen on, too, which only you can use; 'none' for none",
     .fallback_note = "$XDG_RUNTIME_DIR/ingle/server.sock"},
    {.name = "parallel",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "requests that are answered at the same time",
     .fallback = "32",
     .minimum = 1,
     .maximum = 256},
    {.name = "queue",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "requests that may wait for their turn; more are refused with status 429",
     .fallback = "256",
     .minimum = 1,
     .maximum = 100000},
    {.name = "allow-origin",
     .type = ValueType::text,
     .metavar = "ORIGIN",
     .help = "pages of this origin may ask, as in https://example.org",
     .repeatable = true},
    {.name = "allow-host",
     .type = ValueType::text,
     .metavar = "NAME",
     .help = "a name by which the server may be called, beside localhost",
     .repeatable = true},
};
constexpr Example examples[] = {
    {"ingle serve qwen2.5-coder-0.5b", "The OpenAI API at http://127.0.0.1:11911/v1."},
    {"ingle serve --port 0 --ctx 8192", "The default model, on any free port, with a context of 8192 tokens."},
};

}  // namespace

extern const Command serve_record;
const Command serve_record{
    .name = "serve",
    .summary = "answer other programs over HTTP",
    .description =
        "Loads a model and answers requests in the forms of OpenAI's, Ollama's and Anthropic's APIs until it is "
        "stopped. "
        "Requests of many clients run together; each client gets an equal share. Only programs on this machine can "
        "ask.\n\nThe first Ctrl-C (or "
        "SIGTERM) lets answers in progress end, the second ends the program.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine | group_serving,
    .examples = examples,
    .order = 25,
    .run = run,
};

}  // namespace ingle::cli
