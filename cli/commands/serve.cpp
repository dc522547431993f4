// ingle serve [MODEL]: the engine behind the APIs that other programs speak.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "assistant/inference/engine_process.h"
#include "assistant/pacing/pacer.h"
#include "cli/daemon.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/service.h"
#include "cli/unknown_template.h"
#include "security/sandbox/launch.h"
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

/// In a process of its own.
Result<std::unique_ptr<assistant::ModelService>> start_model(const Session& session, const std::string& name,
                                                             const store::InstalledModel& installed) {
  assistant::EngineProcessOptions options;
  options.name = name;
  options.model = installed.path;
  options.engine = engine_options_here(session);
  options.scheduling.max_running = static_cast<uint32_t>(session.values.integer("parallel"));
  options.scheduling.max_waiting = static_cast<uint32_t>(session.values.integer("queue"));
  options.scheduling.lookup = session.values.flag("lookup");
  if (!session.values.flag("no-store")) options.scheduling.prefix_file_bytes = session.values.bytes("prefix-cache");
  options.program = security::self_program();
  options.arguments = {"ingle", "__engine"};
  options.sanitizers = security::kSanitizedBuild;
  options.notice = [terminal = session.terminal](const std::string& line) { terminal.notice("ingle: " + line); };
  constexpr auto kPatience = std::chrono::milliseconds(1500);  // what is loaded sooner needs no bar
  ProgressLine line(session.terminal);
  const auto start = std::chrono::steady_clock::now();
  auto model = assistant::EngineProcess::start(std::move(options), [&](double done) {
    if (session.terminal.options().progress_bars && std::chrono::steady_clock::now() - start > kPatience)
      line.update("loading " + name, done);
    return !interrupted();
  });
  line.clear();
  if (!model && model.error().code == base::ErrorCode::cancelled) return base::Error{base::ErrorCode::cancelled, ""};
  INGLE_TRY(auto started, std::move(model));
  report_loaded(session, started->info());
  report_template(session, name_to_show(installed), started->facts().chat_template);
  for (const std::string& what : started->missing())
    session.terminal.notice("ingle: the model's process is not fully confined: " + what);
  return std::unique_ptr<assistant::ModelService>(std::move(started));
}

store::InstalledModel with_size(store::InstalledModel model) {
  std::error_code failure;
  if (model.bytes == 0 && !std::filesystem::is_directory(model.path, failure))
    if (const uint64_t bytes = std::filesystem::file_size(model.path, failure); !failure) model.bytes = bytes;
  return model;
}

/// Of the models that clients may name, those in memory.
assistant::ModelPoolOptions pool_options(const Session& session, server::StoredModels& stored) {
  assistant::ModelPoolOptions options;
  options.most = static_cast<size_t>(session.values.integer("models"));
  options.keep_alive = std::chrono::seconds(session.values.integer("keep-alive"));
  options.cache_folder = session.paths.cache;
  options.name_of = [&stored](std::string_view name) { return stored.name_of(name); };
  options.load = [&session, &stored](const std::string& name) -> Result<std::unique_ptr<assistant::ModelService>> {
    INGLE_TRY(const store::InstalledModel model, stored.find(name));
    return start_model(session, name, model);
  };
  return options;
}

/// Has the models follow what others do on the device.
std::unique_ptr<assistant::Pacer> pacer_of(assistant::ModelPool& pool, uint32_t threads) {
  const auto busy = [&pool] {
    return std::ranges::any_of(pool.resident(), [](const auto& each) { return each.model->busy(); });
  };
  const auto own = [&pool] {
    std::vector<int> processes = {::getpid()};
    for (const auto& [model, left] : pool.resident())
      if (const auto process = model->process()) processes.push_back(*process);
    return processes;
  };
  return assistant::make_pacer(
      threads, {.busy = busy, .own = own, .set = [&pool](const core::Pace& pace) { pool.set_pace(pace); }});
}

Status run(Session& session) {
  if (session.values.flag("daemon")) return start_daemon(session);
  INGLE_TRY(const std::string asked, model_or_default(session));
  const server::ServerOptions options = server_options(session);
  session.note_unused({"draft"}, "in a server");
  allow_many_files();
  store::StoreOptions asked_by_others = store_options(session);
  asked_by_others.public_addresses_only = true;
  server::StoredModels stored(std::move(asked_by_others));
  assistant::ModelPool pool(pool_options(session, stored));
  server::Server server(options, pool, stored);
  INGLE_TRY(Service service, Service::begin(session, server, options));
  // While the model is loaded, /health tells that it is, unless another server still answers.
  std::optional<Running> running;
  if (!service.replaces()) running.emplace(server);
  INGLE_CHECK(check_requirement(session));
  INGLE_TRY(const store::InstalledModel installed, ensure_model(session, asked));
  const auto names = names_of(asked, installed);
  INGLE_TRY(auto model, start_model(session, names.front(), installed));
  const uint32_t threads = model->info().threads;
  stored.add(names, with_size(installed));
  pool.add(names.front(), std::move(model), std::nullopt);
  server.set_ready();
  const std::unique_ptr<assistant::Pacer> pacer = session.values.flag("adapt") ? pacer_of(pool, threads) : nullptr;
  const std::string status = "serving " + names.front() + " at " + service.address() +
                             (options.socket.empty() ? "" : " and " + options.socket.string());
  INGLE_CHECK(service.ready(status));
  if (!running) running.emplace(server);
  session.terminal.notice("ingle: " + status + "; " + service.how_to_stop());
  service.wait();
  return {};
}

constexpr Argument arguments[] = {{.name = "MODEL", .help = "a model's name or path", .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "daemon", .help = "run in the background, with a log; returns when it can answer"},
    {.name = "no-store", .help = "keep nothing of conversations on disk"},
    {.name = "replace", .help = "take the place of a server that runs at this port, which completes what it has"},
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
    {.name = "models",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "models in memory at a time; others of the store are loaded when a client asks for them",
     .fallback = "3",
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
    .groups = group_general | group_engine | group_server,
    .examples = examples,
    .order = 25,
    .run = run,
};

}  // namespace ingle::cli
