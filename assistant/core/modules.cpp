#include "assistant/core/modules.h"

#include <algorithm>

#include "assistant/core/core.h"

namespace ingle::assistant {

/// How the modules that run start: each makes its part of the core.
struct Starters {
  static base::Status engine(Core& core) {
    ModelPoolOptions pool;
    pool.most = core.options_.models;
    pool.keep_alive = core.options_.keep_alive;
    pool.cache_folder = core.options_.engine.cache_folder;
    pool.name_of = core.options_.name_of;
    pool.load = [&core](const std::string& name) { return core.options_.load(core, name); };
    core.models_ = std::make_unique<ModelPool>(std::move(pool));
    return {};
  }
  static base::Status extensions(Core& core) {
    core.extensions_ = std::make_unique<ExtensionLoader>();
    return {};
  }
  static base::Status updates(Core& core) {
    core.updates_ = std::make_unique<UpdatesFromFile>(core.options_.update_file, core.options_.version);
    return {};
  }
};

namespace {

void leave_out_memory(CoreOptions& options) {
  options.engine.plan = false;
  options.engine.packed_copy_bytes = 0;
  options.scheduling.preload = false;
  options.scheduling.prefix_file_bytes = 0;
  options.scheduling.kept_prefixes = 0;
  options.models = 1;
}

void leave_out_hardware(CoreOptions& options) {
  options.engine.isa = "scalar";
  options.engine.pinning = core::Pinning::off;
  options.engine.tuned.clear();
  if (options.engine.threads == 0) options.engine.threads = 1;
  options.adapt = false;
}

constexpr auto kModules = std::to_array<Module>({
    {.id = ModuleId::sandbox,
     .name = "sandbox",
     .title = "security module",
     .does = "runs each model in a confined process; who may ask, and that nothing leaves, is seen to in any case",
     .without = "models run in the server's process, which gives up connecting; documents and plugins are refused",
     .in_profile = {true, true, true}},  // safety is not what a small device saves at
    {.id = ModuleId::memory,
     .name = "memory",
     .title = "memory manager",
     .does = "plans what shares memory, keeps packed weights and conversations on disk, brings back what was dropped",
     .without = "no planner, nothing kept, one model",
     .in_profile = {true, true, true},  // what it takes is less than what it saves
     .leave_out = leave_out_memory},
    {.id = ModuleId::engine,
     .name = "engine",
     .title = "inference engine",
     .does = "loads models and answers",
     .without = "no model; conversations can be read and searched",
     .in_profile = {true, true, true},
     .start = Starters::engine},
    {.id = ModuleId::hardware,
     .name = "hardware",
     .title = "hardware interface",
     .does = "finds the fastest instructions and the number of threads, follows load, heat and battery",
     .without = "portable code on one thread; nothing is measured",
     .in_profile = {true, true, true},  // portable code is many times slower, on a small device most of all
     .leave_out = leave_out_hardware},
    {.id = ModuleId::extensions,
     .name = "extensions",
     .title = "extension loader",
     .does = "finds what was added to the assistant; there is no kind of extension yet",
     .without = "no extensions",
     .in_profile = {true, false, false},
     .start = Starters::extensions},
    {.id = ModuleId::updates,
     .name = "updates",
     .title = "update service",
     .does = "tells whether a newer version is known, by a local file; fetches nothing",
     .without = "nothing is told of newer versions",
     .in_profile = {true, true, false},
     .start = Starters::updates},
});

}  // namespace

std::span<const Module> all_modules() {
  return kModules;
}

const Module& module_of(ModuleId id) {
  return *std::ranges::find(kModules, id, &Module::id);
}

ModuleSet modules_in(ProfileId profile) {
  ModuleSet on;
  for (const Module& module : kModules) on.set(module.id, module.in_profile[static_cast<size_t>(profile)]);
  return on;
}

}  // namespace ingle::assistant
