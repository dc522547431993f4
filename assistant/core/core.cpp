#include "assistant/core/core.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "assistant/inference/engine_process.h"
#include "assistant/inference/local_model.h"
#include "assistant/inference/model_files.h"
#include "security/sandbox/egress.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

std::string is_off(const Module& module) {
  const std::string setting = "module-" + std::string(module.name);
  return "the " + std::string(module.title) + (module.id == ModuleId::sandbox ? "'s sandbox" : "") +
         " is switched off; --" + setting + ", or '" + setting + " = true' in the configuration, switches it on";
}

void CoreOptions::bound(const Bounds& bounds) {
  engine.most_context_length = bounds.context_length;
  engine.batch = bounds.batch;
  models = bounds.models;
  scheduling.max_running = bounds.running;
  scheduling.kept_prefixes = bounds.kept_prefixes;
  scheduling.prefix_file_bytes = bounds.prefix_file_bytes;
  scheduling.preload = bounds.preload;
}

Result<std::unique_ptr<Core>> Core::start(CoreOptions options) {
  for (const Module& module : all_modules())
    if (!options.on.has(module.id) && module.leave_out != nullptr) module.leave_out(options);
  std::unique_ptr<Core> core(new Core(std::move(options)));
  for (const Module& module : all_modules()) {
    if (!core->has(module.id)) continue;
    if (module.start != nullptr) INGLE_CHECK(module.start(*core));
    if (core->options_.started) core->options_.started(module);
  }
  if (!core->models_) {
    ModelPoolOptions none;
    none.off = Error{ErrorCode::unavailable, is_off(module_of(ModuleId::engine))};
    none.name_of = core->options_.name_of;
    none.cache_folder = core->options_.engine.cache_folder;  // of what is kept there, some may have to be deleted
    core->models_ = std::make_unique<ModelPool>(std::move(none));
  }
  return core;
}

// The members go in the reverse order of their starting.
Core::~Core() = default;

Result<std::unique_ptr<ModelService>> Core::start_model(const std::string& name, const std::filesystem::path& model,
                                                        const core::LoadProgress& progress) {
  INGLE_CHECK(models_->may_load());
  return has(ModuleId::sandbox) ? start_confined(name, model, progress) : start_here(name, model, progress);
}

Result<std::unique_ptr<ModelService>> Core::start_confined(const std::string& name, const std::filesystem::path& model,
                                                           const core::LoadProgress& progress) {
  EngineProcessOptions options;
  options.name = name;
  options.model = model;
  options.engine = options_.engine;
  options.scheduling = options_.scheduling;
  options.program = options_.program;
  options.arguments = options_.arguments;
  options.sanitizers = options_.sanitizers;
  options.notice = options_.notice;
  INGLE_TRY(auto started, EngineProcess::start(std::move(options), progress));
  if (options_.notice)
    for (const std::string& what : started->missing())
      options_.notice("the model's process is not fully confined: " + what);
  return std::unique_ptr<ModelService>(std::move(started));
}

Result<std::unique_ptr<ModelService>> Core::start_here(const std::string& name, const std::filesystem::path& model,
                                                       const core::LoadProgress& progress) {
  INGLE_CHECK(security::give_up_connecting());
  core::SchedulerOptions scheduling = options_.scheduling;
  if (scheduling.prefix_file_bytes > 0) {
    core::EngineOptions no_copy = options_.engine;
    no_copy.packed_copy_bytes = 0;  // only the files for prefixes are wanted
    INGLE_TRY(const ModelFiles files, ModelFiles::open(std::filesystem::absolute(model).lexically_normal(), no_copy,
                                                       scheduling.prefix_file_bytes));
    scheduling.prefix_files = files.prefix_files();
  }
  INGLE_TRY(auto engine, core::Engine::load(model, options_.engine, progress));
  return std::unique_ptr<ModelService>(std::make_unique<LocalModel>(name, std::move(engine), scheduling));
}

void Core::keep(const std::string& name, std::unique_ptr<ModelService> model) {
  const uint32_t threads = model->info().threads;
  models_->add(name, std::move(model), std::nullopt);
  if (!options_.adapt || pacer_) return;
  const auto busy = [this] {
    return std::ranges::any_of(models_->resident(), [](const auto& each) { return each.model->busy(); });
  };
  const auto own = [this] {
    std::vector<int> all = processes();
    all.push_back(::getpid());
    return all;
  };
  pacer_ = make_pacer(threads,
                      {.busy = busy, .own = own, .set = [this](const core::Pace& pace) { models_->set_pace(pace); }});
}

std::vector<int> Core::processes() {
  std::vector<int> all;
  for (const auto& [model, left] : models_->resident())
    if (const auto process = model->process()) all.push_back(*process);
  return all;
}

Status Core::may_parse_documents() const {
  if (has(ModuleId::sandbox)) return {};
  return Error{ErrorCode::permission_denied,
               "documents are read in a confined process only, and " + is_off(module_of(ModuleId::sandbox))};
}

Status Core::may_run_plugins() const {
  if (!has(ModuleId::extensions)) return Error{ErrorCode::permission_denied, is_off(module_of(ModuleId::extensions))};
  if (has(ModuleId::sandbox)) return {};
  return Error{ErrorCode::permission_denied,
               "plugins run in a confined process only, and " + is_off(module_of(ModuleId::sandbox))};
}

}  // namespace ingle::assistant
