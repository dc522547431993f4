#include "cli/hardware.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cli/models.h"
#include "cli/system.h"
#include "core/engine/engine.h"
#include "security/sandbox/kernel.h"

namespace ingle::cli {

using base::Json;

Json describe_machine(const Session& session) {
  Json sets = Json::array();
  for (const core::InstructionSet& set : core::instruction_sets(session.paths.cache)) {
    sets.push_back({{"name", set.name}, {"works", set.works}, {"chosen", set.chosen}, {"note", set.note}});
  }
  Json cores = Json::array();
  for (const core::CoreKind& kind : core::core_kinds()) cores.push_back({{"count", kind.cores}, {"speed", kind.speed}});
  const auto cpu_time = core::allowed_cpu_time();
  return {{"processor", processor_name()},
          {"hardware_threads", std::thread::hardware_concurrency()},
          {"cores", cores},
          {"allowed_cpu_time", cpu_time ? Json(*cpu_time) : Json()},
          {"default_threads", core::default_threads()},
          {"memory_bytes", total_memory_bytes()},
          {"free_memory_bytes", free_memory_bytes()},
          {"instruction_sets", sets}};
}

/// What keeps a model's process (of `ingle serve`) from the rest of the machine.
Json describe_confinement() {
  Json out = Json::array();
  for (const security::Protection& protection : security::describe(security::probe_kernel()))
    out.push_back({{"what", protection.what}, {"enforced", protection.enforced}, {"by", protection.by}});
  return out;
}

Json describe_accelerators() {
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator at("/sys/class/drm", failure), end; !failure && at != end;
       at.increment(failure)) {
    if (!at->path().filename().string().starts_with("renderD")) continue;
    std::error_code none;
    names.push_back(std::filesystem::read_symlink(at->path() / "device" / "driver", none).filename().string());
  }
  std::ranges::sort(names);
  Json out = Json::array();
  for (const std::string& name : names)
    out.push_back({{"driver", name.empty() ? Json() : Json(name)}, {"used", false}});
  return out;
}

namespace {

Json describe_modules(const Session& session, const Composition& composition) {
  Json out = Json::array();
  for (const assistant::Module& module : assistant::all_modules()) {
    const bool on = composition.has(module.id);
    out.push_back({{"name", std::string(module.name)},
                   {"title", std::string(module.title)},
                   {"on", on},
                   {"why", reason_of(session, composition, module)},
                   {"means", std::string(on ? module.does : module.without)}});
  }
  return out;
}

}  // namespace

Json describe_hardware(const Session& session, const Composition& composition) {
  Json out = {
      {"machine", describe_machine(session)},
      {"accelerators", describe_accelerators()},
      {"confined", composition.has(assistant::ModuleId::sandbox)},
      {"confinement", describe_confinement()},
      {"profile",
       {{"name", std::string(assistant::profile(composition.profile).name)}, {"reason", composition.profile_reason}}},
      {"modules", describe_modules(session, composition)},
      {"store_folder", store_folder(session).string()},
      {"data_folder", session.paths.data.string()},
      {"cache_folder", session.paths.cache.string()},
      {"state_folder", session.paths.state.string()}};
  return out;
}

}  // namespace ingle::cli
