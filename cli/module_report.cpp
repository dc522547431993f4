#include "cli/module_report.h"

#include <future>
#include <map>

#include "cli/composition.h"
#include "cli/footprint.h"
#include "cli/models.h"

namespace ingle::cli {
namespace {

using assistant::Module;
using assistant::ModuleId;
using base::Json;
using base::Result;

constexpr std::string_view kMethod =
    "memory and threads of all processes together, before and after each module started; the engine's with a model "
    "that has answered a short prompt";

/// What has come since the last look, by the module that it is due to.
class Growth {
 public:
  struct Change {
    int64_t bytes = 0, threads = 0, processes = 0;
  };

  explicit Growth(Footprint before) : last_(before), first_(before) {}
  void look(ModuleId due_to, std::span<const int> processes) {
    const Footprint now = footprint(processes);
    Change& change = changes_[due_to];
    change.bytes += static_cast<int64_t>(now.bytes) - static_cast<int64_t>(last_.bytes);
    change.threads += static_cast<int64_t>(now.threads) - static_cast<int64_t>(last_.threads);
    change.processes += static_cast<int64_t>(now.processes) - static_cast<int64_t>(last_.processes);
    last_ = now;
  }
  Change of(ModuleId id) const {
    const auto found = changes_.find(id);
    return found == changes_.end() ? Change() : found->second;
  }
  const Footprint& before() const { return first_; }
  const Footprint& now() const { return last_; }

 private:
  Footprint last_, first_;
  std::map<ModuleId, Change> changes_;
};

/// Has the model answer, so that what it needs for that is in memory. An encoder is left alone.
base::Status answer_something(assistant::ModelService& model) {
  constexpr uint32_t kTokens = 8;
  if (model.info().is_encoder()) return {};
  assistant::GenerationRequest request;
  INGLE_TRY(request.prompt, model.tokenize("What can you do?", true, false));
  request.reply.max_tokens = kTokens;
  request.reply.ignore_stop_tokens = true;
  std::promise<void> ended;
  INGLE_CHECK(model.generate(std::move(request), [&ended](core::GenerationEvent&& event) {
    if (event.finished || event.error) ended.set_value();
  }));
  ended.get_future().wait();
  return {};
}

/// Loads the model that would be served and has it answer. Gives its name. Errors: as local_model and
/// Core::start_model.
Result<std::string> begin_with_model(const Session& session, assistant::Core& core, Growth& growth) {
  INGLE_TRY(const std::string asked, model_or_default(session));
  INGLE_TRY(const store::InstalledModel installed, local_model(session, asked));
  INGLE_TRY(auto started, core.start_model(asked, installed.path));
  assistant::ModelService& model = *started;
  // What the engine takes is looked at before the hardware interface begins to follow the load.
  std::vector<int> process;
  if (const auto id = model.process()) process.push_back(*id);
  INGLE_CHECK(answer_something(model));
  growth.look(ModuleId::engine, process);
  core.keep(asked, std::move(started));
  growth.look(ModuleId::hardware, core.processes());
  return asked;
}

Json to_json(const Session& session, const Composition& composed, const Module& module, const Growth& growth) {
  const bool on = composed.has(module.id);
  const Growth::Change change = growth.of(module.id);
  return {{"name", std::string(module.name)},
          {"title", std::string(module.title)},
          {"on", on},
          {"why", reason_of(session, composed, module)},
          {"memory_bytes", on ? Json(change.bytes) : Json()},
          {"threads", on ? Json(change.threads) : Json()},
          {"processes", on ? Json(change.processes) : Json()},
          {"means", std::string(on ? module.does : module.without)}};
}

std::string show_change(int64_t bytes) {
  return (bytes < 0 ? "-" : "+") + show_bytes(static_cast<uint64_t>(bytes < 0 ? -bytes : bytes));
}

std::string count(int64_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace

Result<Json> report_modules(const Session& session) {
  const Composition composed = composition(session);
  INGLE_TRY(assistant::CoreOptions options, core_options(session, composed));
  Growth growth(footprint({}));
  options.name_of = [](std::string_view name) { return std::string(name); };
  options.load = [](assistant::Core&, const std::string& name) -> Result<std::unique_ptr<assistant::ModelService>> {
    return base::Error{base::ErrorCode::not_found, "no further model is loaded here: " + name};
  };
  options.started = [&growth](const Module& module) { growth.look(module.id, {}); };
  INGLE_TRY(const auto core, assistant::Core::start(std::move(options)));
  Json model, problem;
  if (composed.has(ModuleId::engine)) {
    if (const auto loaded = begin_with_model(session, *core, growth)) {
      model = *loaded;
    } else {
      problem = loaded.error().message;
    }
  }
  Json modules = Json::array();
  for (const Module& module : assistant::all_modules()) modules.push_back(to_json(session, composed, module, growth));
  const Footprint& now = growth.now();
  return Json{{"profile", std::string(assistant::profile(composed.profile).name)},
              {"profile_reason", composed.profile_reason},
              {"modules", std::move(modules)},
              {"model", std::move(model)},
              {"model_problem", std::move(problem)},
              {"program_bytes", growth.before().bytes},
              {"program_threads", growth.before().threads},
              {"total_bytes", now.bytes},
              {"total_threads", now.threads},
              {"exact", now.exact},
              {"method", std::string(kMethod)}};
}

std::string show_modules(const Terminal& terminal, const Json& report) {
  std::string text = terminal.styled_out(Style::bold, "Modules of profile " + report["profile"].get<std::string>()) +
                     " (" + report["profile_reason"].get<std::string>() + ")\n";
  for (const Json& module : report["modules"]) {
    const bool on = module["on"].get<bool>();
    text += "  " + terminal.styled_out(on ? Style::green : Style::dim, on ? "on " : "off") + " " +
            pad(module["title"].get<std::string>(), 20) + pad(module["name"].get<std::string>(), 12);
    if (on) {
      const auto processes = module["processes"].get<int64_t>();
      text += pad(show_change(module["memory_bytes"].get<int64_t>()), 10, true) + "  " +
              pad(count(module["threads"].get<int64_t>(), "thread"), 10) +
              (processes > 0 ? " in " + count(processes, "process") + "  " : "");
    }
    text += "  " + module["why"].get<std::string>() + "\n      " +
            terminal.styled_out(Style::dim, module["means"].get<std::string>()) + "\n";
  }
  text += "  In all " + show_bytes(report["total_bytes"].get<uint64_t>()) + " and " +
          count(report["total_threads"].get<int64_t>(), "thread") + ", of which the program itself has " +
          show_bytes(report["program_bytes"].get<uint64_t>()) + " and " +
          count(report["program_threads"].get<int64_t>(), "thread");
  if (report["model"].is_string()) text += "; with " + report["model"].get<std::string>();
  text += "\n";
  if (report["model_problem"].is_string())
    text += "  Without a model: " + report["model_problem"].get<std::string>() + "\n";
  text += "  Measured: " + report["method"].get<std::string>() + "\n";
  if (!report["exact"].get<bool>())
    text += "  A confined process does not tell its share of what several have: all of that is counted as its own\n";
  return text;
}

}  // namespace ingle::cli
