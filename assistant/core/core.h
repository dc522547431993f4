// The assistant's core: the modules that are on, started in their order, and what they are asked for. The table of them
// is modules.h.
//
//   CoreOptions options;                    // which modules, which profile's bounds, how models are found and started
//   auto core = Core::start(std::move(options)).value();
//   auto model = core->start_model("name", path).value();
//   core->keep("name", std::move(model));   // it stays, and the device's load is followed from now on
//
// Whatever reads a model's bytes can connect to nobody, in every configuration: with the sandbox it is a process
// without sockets, without it this process gives up connecting (security/sandbox/egress.h) before it looks at the first
// byte.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/core/extension_loader.h"
#include "assistant/core/modules.h"
#include "assistant/core/update_service.h"
#include "assistant/inference/model_pool.h"
#include "assistant/pacing/pacer.h"

namespace ingle::assistant {

struct CoreOptions {
  ModuleSet on;
  // The inference engine and the memory manager. Who has none of it from a person begins with bound().
  core::EngineOptions engine;
  core::SchedulerOptions scheduling;  ///< but for prefix_files, which are those of each model
  size_t models = 3;                  ///< in memory at a time
  std::chrono::seconds keep_alive{300};
  /// As ModelPoolOptions::name_of.
  std::function<std::string(std::string_view)> name_of;
  /// Finds the model of that own name and has the core start it (Core::start_model).
  std::function<base::Result<std::unique_ptr<ModelService>>(Core&, const std::string& name)> load;
  // The sandbox: what runs a model's process, as EngineProcessOptions.
  std::filesystem::path program;
  std::vector<std::string> arguments;
  bool sanitizers = false;
  // The hardware interface.
  bool adapt = true;  ///< follow what others do on the device (pacing)
  // The update service.
  std::filesystem::path update_file;
  Version version;  ///< this program's
  /// Told of what a person should know, a line each, by any thread; empty: nobody.
  std::function<void(const std::string&)> notice;
  /// Told of each module once it has started, to measure; empty: nobody.
  std::function<void(const Module&)> started;

  /// Takes over what a profile bounds.
  void bound(const Bounds& bounds);
};

class Core {
 public:
  /// Starts what is on. Errors: those of the modules.
  static base::Result<std::unique_ptr<Core>> start(CoreOptions options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  bool has(ModuleId id) const { return options_.on.has(id); }
  /// With what the absence of modules changed.
  const CoreOptions& options() const { return options_; }

  /// Without the inference engine it has no thread and no model, and says so to who asks for one.
  ModelPool& models() { return *models_; }
  /// Loads a model: in a confined process or, without the sandbox, here. Errors: as EngineProcess::start or
  /// core::Engine::load; unavailable (the engine is off); those of giving up connecting.
  base::Result<std::unique_ptr<ModelService>> start_model(const std::string& name, const std::filesystem::path& model,
                                                          const core::LoadProgress& progress = {});
  /// Puts a model there that stays. With the first one the hardware interface begins to follow the device's load.
  void keep(const std::string& name, std::unique_ptr<ModelService> model);
  /// The processes of models in memory.
  std::vector<int> processes();

  /// Both parse what strangers wrote, which only a confined process may. Errors: permission_denied, with how to change
  /// that; for plugins also where there is no extension loader.
  base::Status may_parse_documents() const;
  base::Status may_run_plugins() const;

  /// nullptr where the module is off.
  const ExtensionLoader* extensions() const { return extensions_.get(); }
  const UpdateService* updates() const { return updates_.get(); }

 private:
  friend struct Starters;  // modules.cpp

  explicit Core(CoreOptions options) : options_(std::move(options)) {}
  base::Result<std::unique_ptr<ModelService>> start_confined(const std::string& name,
                                                             const std::filesystem::path& model,
                                                             const core::LoadProgress& progress);
  base::Result<std::unique_ptr<ModelService>> start_here(const std::string& name, const std::filesystem::path& model,
                                                         const core::LoadProgress& progress);

  CoreOptions options_;
  std::unique_ptr<ModelPool> models_;
  std::unique_ptr<ExtensionLoader> extensions_;
  std::unique_ptr<UpdateService> updates_;
  std::unique_ptr<Pacer> pacer_;
};

/// "the memory manager is switched off; 'module-memory = true' … switches it on": for errors.
std::string is_off(const Module& module);

}  // namespace ingle::assistant
