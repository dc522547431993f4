#include "cli/composition.h"

#include "cli/generation.h"
#include "cli/system.h"
#include "cli/version.h"
#include "core/engine/engine.h"
#include "security/sandbox/launch.h"

namespace ingle::cli {

using assistant::Module;
using assistant::ModuleId;
using base::Error;
using base::ErrorCode;
using base::Result;

namespace {

std::string setting_of(const Module& module) {
  return "module-" + std::string(module.name);
}

/// Whether somebody named it: serve's own options are not there in other commands.
bool is_named(const Values& values, std::string_view name) {
  return values.has(name) && values.is_set(name);
}

}  // namespace

assistant::Measured measure_device() {
  assistant::Measured device{.total_memory = total_memory_bytes(), .available_memory = free_memory_bytes()};
  for (const core::CoreKind& kind : core::core_kinds()) device.cores += kind.cores;
  if (const auto time = core::allowed_cpu_time()) device.cores = std::min(device.cores, *time);
  return device;
}

Composition composition(const Session& session) {
  Composition out;
  if (const auto* named = assistant::find_profile(session.values.text("profile"))) {
    out.profile = named->id;
    out.profile_reason = "named by " + session.values.at("profile").where;
  } else {
    const assistant::ProfileChoice choice = assistant::choose_profile(measure_device());
    out.profile = choice.profile;
    out.profile_reason = choice.reason;
  }
  out.on = assistant::modules_in(out.profile);
  for (const Module& module : assistant::all_modules())
    if (is_named(session.values, setting_of(module))) out.on.set(module.id, session.values.flag(setting_of(module)));
  return out;
}

std::string reason_of(const Session& session, const Composition& composition, const Module& module) {
  const Value& value = session.values.at(setting_of(module));
  if (value.origin == Origin::fallback) return "profile " + std::string(assistant::profile(composition.profile).name);
  if (value.origin == Origin::flag && !composition.has(module.id)) return "--no-" + setting_of(module);
  return value.where;
}

Result<assistant::CoreOptions> core_options(const Session& session, const Composition& composition) {
  const Values& values = session.values;
  if (!composition.has(ModuleId::hardware)) {
    const std::string required = values.text("require");
    if (!required.empty() && required != "cpu" && required != "scalar")
      return Error{ErrorCode::unsupported,
                   "--require " + required + ": " + assistant::is_off(assistant::module_of(ModuleId::hardware))};
    session.note_unused({"isa", "pin"}, "without the hardware interface");
  }
  assistant::CoreOptions options;
  options.on = composition.on;
  options.engine = engine_options_here(session);
  options.bound(assistant::profile(composition.profile).bounds);
  if (is_named(values, "batch")) options.engine.batch = static_cast<uint32_t>(values.integer("batch"));
  if (is_named(values, "parallel")) options.scheduling.max_running = static_cast<uint32_t>(values.integer("parallel"));
  if (is_named(values, "models")) options.models = static_cast<size_t>(values.integer("models"));
  if (is_named(values, "prefix-cache")) options.scheduling.prefix_file_bytes = values.bytes("prefix-cache");
  if (values.has("no-store") && values.flag("no-store")) options.scheduling.prefix_file_bytes = 0;
  if (values.has("queue")) options.scheduling.max_waiting = static_cast<uint32_t>(values.integer("queue"));
  if (values.has("keep-alive")) options.keep_alive = std::chrono::seconds(values.integer("keep-alive"));
  if (values.has("adapt")) options.adapt = values.flag("adapt");
  options.scheduling.lookup = values.flag("lookup");
  options.program = security::self_program();
  options.arguments = {"ingle", "__engine"};
  options.sanitizers = security::kSanitizedBuild;
  const std::string updates = values.text("update-file");
  options.update_file = updates.empty() ? session.paths.data / "update.json"
                                        : std::filesystem::path(expand_home(updates, session.environment));
  INGLE_TRY(options.version, assistant::parse_version(version_text()));
  options.notice = [terminal = session.terminal](const std::string& line) { terminal.notice("ingle: " + line); };
  return options;
}

assistant::ViewerOptions viewer_options() {
  return {security::self_program(), {"ingle", "__viewer"}, security::kSanitizedBuild};
}

void report_updates(const Session& session, const assistant::Core& core) {
  if (core.updates() == nullptr) return;
  const auto newer = core.updates()->newer();
  if (!newer) {
    session.terminal.notice("ingle: whether there is a newer version can't be told: " + newer.error().message);
  } else if (*newer) {
    const std::string& summary = (*newer)->summary;
    session.terminal.notice("ingle: version " + assistant::to_text((*newer)->version) + " is there" +
                            (summary.empty() ? "" : ": " + summary));
  }
}

}  // namespace ingle::cli
