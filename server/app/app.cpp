#include "server/app/app.h"

#include <algorithm>
#include <utility>

#include "assistant/inference/model_pool.h"
#include "core/forecast/machine.h"

namespace ingle::server {

App::App(AppSurroundings from, StoredModels& stored, assistant::ModelPool& pool, const Run& soon, Run in_background,
         std::function<void(const base::Json&)> tell)
    : surroundings_(std::move(from)),
      stored_(stored),
      pool_(pool),
      in_background_(std::move(in_background)),
      tell_(std::move(tell)),
      pulls_(stored, in_background_, tell_),
      speeds_(surroundings_.state_folder, soon),
      welcome_(surroundings_.state_folder),
      viewer_(surroundings_.viewer) {}

uint64_t App::free_memory() const {
  uint64_t bytes = surroundings_.free_memory ? surroundings_.free_memory() : core::available_memory();
  for (const auto& [model, left] : pool_.resident()) {
    if (!left || model->busy()) continue;  // it stays
    const core::EngineInfo& info = model->info();
    bytes += info.weight_bytes - info.streamed_bytes + info.activation_bytes;
  }
  return bytes;
}

std::optional<core::MachineLimits> App::limits() const {
  const auto machine = core::machine_key(surroundings_.engine);
  const auto kept = machine ? core::kept_limits(surroundings_.engine.cache_folder, *machine) : std::nullopt;
  return kept ? std::optional(kept->limits) : std::nullopt;
}

// All cores are busy for a second: an answer that is being written would wait, and what is measured beside it would be
// too little.
bool App::measure_limits() {
  if (measuring_) return true;
  const auto machine = core::machine_key(surroundings_.engine);
  if (!machine) return false;
  const auto kept = core::kept_limits(surroundings_.engine.cache_folder, *machine);
  if (kept && !kept->old) return false;
  const auto resident = pool_.resident();
  if (surroundings_.engine.cache_folder.empty() || stored_.stopping() ||
      std::ranges::any_of(resident, [](const auto& each) { return each.model->busy(); }))
    return false;
  if (measuring_.exchange(true)) return true;
  in_background_([this] {
    const auto measured = core::limits_here(surroundings_.engine);
    measuring_ = false;
    if (measured) tell_({{"type", "models"}});
  });
  return true;
}

void App::note_speed(const std::string& model, const core::GenerationStats& stats) {
  if (const auto stored = stored_.find(model)) speeds_.note(speed_key(*stored), stats);
}

std::string speed_key(const store::InstalledModel& model) {
  return model.sha256.empty() ? model.path.string() : model.sha256;
}

}  // namespace ingle::server
