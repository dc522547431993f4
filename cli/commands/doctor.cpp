// ingle doctor: what this machine can do, what Ingle would use, and what is wrong with the configuration.
#include <algorithm>

#include "cli/composition.h"
#include "cli/hardware.h"
#include "cli/models.h"
#include "cli/module_report.h"
#include "cli/settings.h"
#include "cli/system.h"
#include "cli/version.h"
#include "core/engine/engine.h"

namespace ingle::cli {
namespace {

using base::Json;
using base::Status;

Json describe_store(const Session& session, const store::Store& store) {
  Json out = {{"path", store_folder(session).string()}};
  std::error_code failure;
  const auto space = std::filesystem::space(store_folder(session), failure);
  if (!failure) out["free_bytes"] = space.available;
  uint64_t bytes = 0;
  if (const auto models = store.list()) {
    for (const store::InstalledModel& model : *models) bytes += model.bytes;
    out["models"] = models->size();
    out["bytes"] = bytes;
  }
  return out;
}

Json describe_choice(const Session& session, const store::Store& store, Json& problems) {
  Json out;
  if (const auto choice = default_model(session, store)) {
    out = {{"model", choice->model}, {"reason", choice->reason}, {"installed", store.resolve(choice->model).ok()}};
  } else {
    problems.push_back(choice.error().message);
  }
  return out;
}

Json describe_fitting(const store::Store& store) {
  Json out = Json::array();
  for (const store::CatalogueEntry* entry : store::models_that_fit(free_memory_bytes(), store.catalogue())) {
    out.push_back({{"name", entry->name},
                   {"memory_bytes", entry->memory_bytes},
                   {"download_bytes", entry->size_bytes},
                   {"installed", store.resolve(entry->name).ok()}});
  }
  return out;
}

/// A broken file or variable is what this command is for, so it is a finding and not the end.
Json configuration_problems(Session& session) {
  Json problems = Json::array();
  if (const Status file = apply_config_file(session.values, session.paths.config_file); !file) {
    problems.push_back(file.error().message);
  }
  if (const Status variables = apply_environment(session.values, session.environment); !variables) {
    problems.push_back(variables.error().message);
  }
  for (const ParsedFlag& flag : session.flags) {
    const std::string where = "--" + std::string(flag.option->name);
    if (const Status status = session.values.set(*flag.option, flag.texts, Origin::flag, where); !status) {
      problems.push_back(status.error().message);
    }
  }
  for (const store::Hub hub : {store::Hub::huggingface, store::Hub::modelscope}) {
    if (const auto endpoint = store::hub_endpoint(store_options(session), hub); !endpoint) {
      problems.push_back(endpoint.error().message);
    }
  }
  for (const std::string& name : unknown_variables(session.environment)) {
    problems.push_back(name + " is set but names no setting; see 'ingle config'");
  }
  return problems;
}

class Page {
 public:
  explicit Page(const Terminal& terminal) : terminal_(&terminal) {}
  void heading(std::string_view text) {
    text_ += (text_.empty() ? "" : "\n") + terminal_->styled_out(Style::bold, text) + "\n";
  }
  void line(std::string_view label, std::string_view value) {
    text_ += "  " + pad(label, 20) + std::string(value) + "\n";
  }
  void mark(bool good, std::string_view text) {
    text_ +=
        "  " +
        (good ? terminal_->styled_out(Style::green, "ok") + "  " : terminal_->styled_out(Style::red, "no") + "  ") +
        std::string(text) + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  const Terminal* terminal_;
  std::string text_;
};

/// "8, and 16 with 55 % of their speed".
std::string cores_text(const Json& cores) {
  std::string out;
  for (const Json& kind : cores) {
    out += (out.empty() ? "" : ", and ") + kind["count"].dump();
    if (const auto speed = kind["speed"].get<double>(); speed < 1)
      out += " with " + show_fixed(speed * 100, 0) + " % of their speed";
  }
  return out;
}

void print_machine(Page& page, const Json& machine) {
  page.heading("Machine");
  page.line("Processor", machine["processor"].get<std::string>());
  page.line("Hardware threads", machine["hardware_threads"].dump());
  std::string cores = cores_text(machine["cores"]) + "; threads by default: " + machine["default_threads"].dump();
  if (const Json& time = machine["allowed_cpu_time"]; !time.is_null())
    cores += "; control groups allow the time of " + show_fixed(time.get<double>(), 1) + " CPUs";
  page.line("Cores", cores);
  page.line("Memory", show_bytes(machine["memory_bytes"].get<uint64_t>()) + ", " +
                          show_bytes(machine["free_memory_bytes"].get<uint64_t>()) + " free");
  if (machine["instruction_sets"].empty()) return;
  page.heading("Instruction sets");
  for (const Json& set : machine["instruction_sets"]) {
    const std::string note = set["note"].get<std::string>();
    page.mark(set["works"].get<bool>(), pad(set["name"].get<std::string>(), 16) +
                                            (set["chosen"].get<bool>() ? "used" : "") +
                                            (set["chosen"].get<bool>() && !note.empty() ? "; " : "") + note);
  }
}

void print_confinement(Page& page, const Json& protections) {
  page.heading("A served model can't reach");
  for (const Json& each : protections)
    page.mark(each["enforced"].get<bool>(), pad(each["what"].get<std::string>(), 40) + each["by"].get<std::string>());
}

void print_models(Page& page, const Json& report) {
  page.heading("Models");
  if (report.contains("default") && report["default"].is_object()) {
    const Json& choice = report["default"];
    page.line("Default",
              choice["model"].get<std::string>() + (choice["installed"].get<bool>() ? "" : " (not fetched yet)"));
    page.line("", choice["reason"].get<std::string>());
  }
  bool first = true;
  for (const Json& model : report.value("fits", Json::array())) {
    page.line(first ? "Fit in memory" : "",
              pad(model["name"].get<std::string>(), 24) + "needs about " +
                  pad(show_bytes(model["memory_bytes"].get<uint64_t>()), 9, true) + ", " +
                  (model["installed"].get<bool>() ? std::string("installed")
                                                  : "download " + show_bytes(model["download_bytes"].get<uint64_t>())));
    first = false;
  }
  if (first) page.line("Fit in memory", "none of the catalogue");
}

std::string page_of(const Session& session, const Json& report) {
  Page page(session.terminal);
  print_machine(page, report["machine"]);
  page.heading("Assistant");
  page.line("Profile", report["profile"]["name"].get<std::string>() + " (" +
                           report["profile"]["reason"].get<std::string>() + "); see 'ingle doctor --modules'");
  print_models(page, report);
  print_confinement(page, report["confinement"]);
  page.heading("Files");
  if (report.contains("store")) {
    const Json& store = report["store"];
    page.line("Store", store["path"].get<std::string>());
    if (store.contains("models")) {
      page.line("", store["models"].dump() + " models, " + show_bytes(store["bytes"].get<uint64_t>()) +
                        (store.contains("free_bytes") ? "; " + show_bytes(store["free_bytes"].get<uint64_t>()) + " free"
                                                      : ""));
    }
  }
  page.line("Configuration",
            report["configuration"]["path"].get<std::string>() +
                (report["configuration"]["exists"].get<bool>() ? "" : " (does not exist, which is fine)"));
  page.heading("Problems");
  for (const Json& problem : report["problems"]) page.mark(false, problem.get<std::string>());
  if (report["problems"].empty()) page.mark(true, "none found");
  return page.text();
}

Status run_modules(Session& session) {
  INGLE_CHECK(resolve_settings(session));  // what is measured is what these say
  INGLE_TRY(const Json report, report_modules(session));
  return session.json() ? session.out_json(report) : session.terminal.out(show_modules(session.terminal, report));
}

Status run(Session& session) {
  if (session.values.flag("modules")) return run_modules(session);
  Json problems = configuration_problems(session);
  Json report;
  report["version"] = std::string(version_text());
  report["machine"] = describe_machine(session);
  const Composition composed = composition(session);
  report["profile"] = {{"name", std::string(assistant::profile(composed.profile).name)},
                       {"reason", composed.profile_reason}};
  report["confinement"] = describe_confinement();
  if (const auto store = open_store(session)) {
    report["store"] = describe_store(session, *store);
    report["default"] = describe_choice(session, *store, problems);
    report["fits"] = describe_fitting(*store);
  } else {
    problems.push_back(store.error().message);
  }
  std::error_code failure;
  report["configuration"] = {{"path", session.paths.config_file.string()},
                             {"exists", std::filesystem::exists(session.paths.config_file, failure)}};
  report["problems"] = problems;
  return session.json() ? session.out_json(report) : session.terminal.out(page_of(session, report));
}

constexpr Option options[] = {
    {.name = "modules", .help = "which modules of the assistant are on, why, and what each takes, measured"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle doctor --modules", "The modules that 'ingle serve' would start here."},
    {"ingle doctor --modules --profile minimal --model smollm2-135m", "What a small device would carry."},
};

}  // namespace

extern const Command doctor_record;
const Command doctor_record{
    .name = "doctor",
    .summary = "tell what this machine can do and what Ingle would use",
    .description =
        "With --modules the modules that the settings switch on are started, one after the other, in this process and "
        "in those that they start. What each takes is the difference of two looks at the kernel's figures: the memory "
        "of all these processes (PSS: what a process has alone, and its share of what several have) and their "
        "threads. The engine's figure is with the model that would be served, if it is here, after it has answered a "
        "short prompt; nothing is fetched.",
    .options = options,
    .groups = group_general | group_engine | group_modules,
    .examples = examples,
    .order = 70,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
