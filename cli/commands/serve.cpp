// ingle serve [MODEL]: the engine behind the APIs that other programs speak.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "cli/composition.h"
#include "cli/daemon.h"
#include "cli/generation.h"
#include "cli/hardware.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/service.h"
#include "cli/system.h"
#include "cli/unknown_template.h"
#include "security/sandbox/egress.h"
#include "server/server.h"

namespace ingle::cli {
namespace {

using assistant::ModuleId;
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

/// With a bar where that takes a while.
Result<std::unique_ptr<assistant::ModelService>> start_model(const Session& session, assistant::Core& core,
                                                             const std::string& name,
                                                             const store::InstalledModel& installed) {
  constexpr auto kPatience = std::chrono::milliseconds(1500);  // what is loaded sooner needs no bar
  ProgressLine line(session.terminal);
  const auto start = std::chrono::steady_clock::now();
  auto model = core.start_model(name, installed.path, [&](double done) {
    if (session.terminal.options().progress_bars && std::chrono::steady_clock::now() - start > kPatience)
      line.update("loading " + name, done);
    return !interrupted();
  });
  line.clear();
  if (!model && model.error().code == base::ErrorCode::cancelled) return base::Error{base::ErrorCode::cancelled, ""};
  INGLE_TRY(auto started, std::move(model));
  report_loaded(session, started->info());
  report_template(session, name_to_show(installed), started->facts().chat_template);
  return started;
}

store::InstalledModel with_size(store::InstalledModel model) {
  std::error_code failure;
  if (model.bytes == 0 && !std::filesystem::is_directory(model.path, failure))
    if (const uint64_t bytes = std::filesystem::file_size(model.path, failure); !failure) model.bytes = bytes;
  return model;
}

/// What clients may fetch.
store::StoreOptions clients_store(const Session& session, const Composition& composed) {
  store::StoreOptions options = store_options(session);
  options.public_addresses_only = true;
  // Without the sandbox this process gives up connecting (assistant/core/core.h).
  options.offline = options.offline || !composed.has(ModuleId::sandbox);
  return options;
}

Result<std::unique_ptr<assistant::Core>> start_core(const Session& session, const Composition& composed,
                                                    server::StoredModels& stored) {
  INGLE_TRY(assistant::CoreOptions options, core_options(session, composed));
  options.name_of = [&stored](std::string_view name) { return stored.name_of(name); };
  options.load = [&session, &stored](assistant::Core& core,
                                     const std::string& name) -> Result<std::unique_ptr<assistant::ModelService>> {
    INGLE_TRY(const store::InstalledModel model, stored.find(name));
    return start_model(session, core, name, model);
  };
  return assistant::Core::start(std::move(options));
}

Result<std::unique_ptr<assistant::Conversations>> open_conversations(const Session& session) {
  INGLE_TRY(auto conversations, assistant::Conversations::open(
                                    session.values.flag("no-store") ? std::filesystem::path() : history_file(session)));
  for (const std::string& notice : conversations->kept().notices()) session.terminal.notice("ingle: " + notice);
  return conversations;
}

/// With --offline the kernel sees to it, too, that this process and those that it starts reach nobody.
void stay_offline(const Session& session) {
  if (!session.values.flag("offline")) return;
  if (const Status given_up = security::give_up_connecting(); !given_up)
    session.terminal.notice("ingle: --offline holds by the program's own checks alone: " + given_up.error().message);
}

/// Fetches and loads the model that stays. Gives its name.
Result<std::string> begin_with(const Session& session, assistant::Core& core, server::StoredModels& stored,
                               const std::string& asked) {
  INGLE_CHECK(check_requirement(session));
  INGLE_TRY(const store::InstalledModel installed, ensure_model(session, asked));
  const auto names = names_of(asked, installed);
  INGLE_TRY(auto model, start_model(session, core, names.front(), installed));
  stored.add(names, with_size(installed));
  core.keep(names.front(), std::move(model));
  return names.front();
}

/// Of a server without a model: the one that a page chose stays, as one that it was started with.
Status take_model(const Session& session, assistant::Core& core, server::StoredModels& stored, std::mutex& taking,
                  const std::string& name) {
  const std::lock_guard lock(taking);
  if (!stored.default_name().empty()) return {};  // two pages asked
  INGLE_CHECK(check_requirement(session));
  INGLE_TRY(const store::InstalledModel installed, stored.find(name));
  if (const auto there = core.models().find(name)) {
    core.models().keep(*there, std::nullopt);
  } else {
    INGLE_TRY(auto model, start_model(session, core, name, installed));
    core.keep(name, std::move(model));
  }
  stored.add({name, name + ":latest"}, installed);
  return {};
}

/// Code, libraries and tables of theirs that this process has not looked at yet and one that computes has.
constexpr uint64_t kCodeBytes = uint64_t{3} << 20;

/// What the app's pages tell.
server::AppSurroundings app_surroundings(const Session& session, const Composition& composed, assistant::Core& core,
                                         server::StoredModels& stored) {
  server::AppSurroundings app;
  app.engine = core.options().engine;
  app.free_memory = [limit = session.values.bytes("memory")] {
    return limit > 0 ? std::min(limit, free_memory_bytes()) : free_memory_bytes();
  };
  app.viewer = viewer_options();
  app.program_bytes = resident_memory_bytes() + kCodeBytes;
  app.state_folder = session.paths.state;
  if (session.values.flag("offline")) {
    app.offline = "the server runs with --offline";
  } else if (!composed.has(ModuleId::sandbox)) {
    app.offline = "without the sandbox, this process gives up connecting to anybody";
  }
  if (const auto store = open_store(session)) {
    const auto choice = default_model(session, *store);
    if (choice && store->catalogue().find(choice->model) != nullptr)
      app.recommended = store->catalogue().find(choice->model)->name, app.recommended_why = choice->reason;
  }
  app.hardware = [&session, composed] { return describe_hardware(session, composed); };
  app.begin_with = [&session, &core, &stored, taking = std::make_shared<std::mutex>()](const std::string& name) {
    return take_model(session, core, stored, *taking, name);
  };
  return app;
}

Status run(Session& session) {
  if (session.values.flag("daemon")) return start_daemon(session);
  const Composition composed = composition(session);
  const bool has_engine = composed.has(ModuleId::engine);
  const bool begins = has_engine && !session.values.flag("without-model");
  std::string asked, what = has_engine ? "no model yet" : "conversations, and no model";
  if (begins) {
    INGLE_TRY(asked, model_or_default(session));
  }
  server::ServerOptions options = server_options(session);
  session.note_unused({"draft"}, "in a server");
  allow_many_files();
  server::StoredModels stored(clients_store(session, composed));
  INGLE_TRY(const auto core, start_core(session, composed, stored));
  INGLE_TRY(const auto conversations, open_conversations(session));
  options.app = app_surroundings(session, composed, *core, stored);
  options.may_parse_documents = core->may_parse_documents();
  server::Server server(options, core->models(), stored, *conversations);
  INGLE_TRY(Service service, Service::begin(session, server, options));
  stay_offline(session);
  // While the model is loaded, /health tells that it is, unless another server still answers.
  std::optional<Running> running;
  if (!service.replaces()) running.emplace(server);
  if (begins) {
    INGLE_TRY(what, begin_with(session, *core, stored, asked));
  } else if (!has_engine) {
    session.terminal.notice("ingle: " + core->models().may_load().error().message);
  }
  server.set_ready();
  const std::string status = "serving " + what + " at " + service.address() +
                             (options.socket.empty() ? "" : " and " + options.socket.string());
  INGLE_CHECK(service.ready(status));
  if (!running) running.emplace(server);
  session.terminal.notice("ingle: " + status + "; " + service.how_to_stop());
  report_updates(session, *core);
  service.wait();
  return {};
}

constexpr Argument arguments[] = {{.name = "MODEL", .help = "a model's name or path", .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "daemon", .help = "run in the background, with a log; returns when it can answer"},
    {.name = "without-model", .help = "begin without a model: the app's page helps to choose and fetch one"},
    {.name = "no-store", .help = "keep nothing of conversations on disk"},
    {.name = "replace", .help = "take the place of a server that runs at this port, which completes what it has"},
    {.name = "parallel",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "requests that are answered at the same time",
     .fallback_note = "32, or fewer by the profile",
     .minimum = 1,
     .maximum = 256},
    {.name = "queue",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "requests that may wait for their turn; more are refused with status 429",
     .fallback = "256",
     .minimum = 1,
     .maximum = 100000},
    {.name = "models",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "models in memory at a time; others of the store are loaded when a client asks for them",
     .fallback_note = "3, or fewer by the profile",
     .minimum = 1,
     .maximum = 64},
    {.name = "keep-alive",
     .type = ValueType::integer,
     .metavar = "SECONDS",
     .help = "how long those stay after their last use; MODEL itself stays",
     .fallback = "300",
     .minimum = 0,
     .maximum = 31536000},
};
constexpr Example examples[] = {
    {"ingle serve qwen2.5-coder-0.5b", "The OpenAI API at http://127.0.0.1:11911/v1."},
    {"ingle serve --daemon", "The default model, in the background; 'ingle ps' shows it, 'ingle stop' ends it."},
    {"ingle serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem",
     "Other machines may ask, with a key that 'ingle key create' made."},
    {"ingle serve --profile minimal smollm2-135m", "Within 256 MB of memory, all processes together."},
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
        "Requests of many clients run together; each client gets an equal share. Programs of yours on this machine can "
        "ask; others, and other machines, need a key ('ingle key').\n\nThe first Ctrl-C (or SIGTERM) lets answers in "
        "progress end, the second ends the program. SIGHUP reads the certificate and the configuration file's lists "
        "of names and origins again, where no terminal is.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine | group_server | group_modules,
    .examples = examples,
    .order = 25,
    .run = run,
};

}  // namespace ingle::cli
