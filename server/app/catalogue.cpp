#include "server/app/catalogue.h"

#include <algorithm>
#include <set>

#include "core/forecast/shape_file.h"
#include "core/forecast/speed.h"
#include "server/app/app.h"

namespace ingle::server {
namespace {

using base::Json;
using base::Result;

Json to_json(const store::Licence& licence) {
  return {{"name", licence.name}, {"url", licence.url}, {"notes", licence.notes}, {"acceptance", licence.acceptance}};
}

Json to_json(const core::SpeedRange& speed) {
  return {{"expected", speed.expected}, {"least", speed.least}, {"most", speed.most}};
}

Json to_json(const std::optional<MeasuredSpeed>& speed) {
  return speed ? Json{{"tokens_per_second", speed->tokens_per_second}, {"runs", speed->runs}} : Json();
}

/// Where a model's memory goes.
Json to_json(const core::MemoryPlan& plan, uint64_t program_bytes) {
  return {{"weight_bytes", plan.weight_bytes - plan.streamed_bytes + plan.ring_bytes},
          {"streamed_bytes", plan.streamed_bytes},
          {"state_bytes", plan.state_bytes},
          {"working_bytes", plan.activation_bytes + plan.scratch_bytes + plan.logit_bytes},
          {"other_bytes", plan.tokenizer_bytes + plan.table_bytes + program_bytes},
          {"total_bytes", plan.total_bytes() + program_bytes},
          {"context_length", plan.context_length},
          {"longest_context_length", plan.longest_context_length}};
}

class Listing {
 public:
  Listing(const Call& call, const store::Store& store, std::optional<uint32_t> context)
      : call_(call),
        app_(*call.app),
        store_(store),
        options_(app_.surroundings().engine),
        limits_(app_.limits()),
        resident_(call.pool->resident()),
        default_(call.stored->default_name()) {
    if (context) options_.context_length = *context;
    options_.memory_limit_bytes = app_.free_memory();
  }

  Json models() const {
    Json out = Json::array();
    std::set<std::string> told;
    const auto stored = call_.stored->list();
    for (const store::CatalogueEntry& entry : store_.catalogue().entries()) {
      const auto found = std::ranges::find(stored, entry.name, &store::InstalledModel::name);
      out.push_back(of_catalogue(entry, found == stored.end() ? nullptr : &*found));
      told.insert(entry.name);
    }
    for (const store::InstalledModel& model : stored)
      if (!told.contains(model.name)) out.push_back(of_person(model));
    return out;
  }

  uint64_t free_bytes() const { return options_.memory_limit_bytes; }

 private:
  Json of_catalogue(const store::CatalogueEntry& entry, const store::InstalledModel* stored) const {
    Json out = {{"name", entry.name},
                {"description", entry.description},
                {"architecture", entry.architecture},
                {"parameters", entry.parameters},
                {"quantisation", entry.quantisation},
                {"chat", entry.chat},
                {"trained_context_length", entry.context_length},
                {"licence", to_json(entry.licence)},
                {"bytes", entry.size_bytes},
                {"partial_bytes", stored == nullptr ? store_.partial_bytes(entry.name) : 0},
                {"memory", nullptr},
                {"estimated_bytes", entry.memory_bytes},
                {"fits", entry.memory_bytes <= options_.memory_limit_bytes},
                {"speed", nullptr}};
    add_forecast(out, entry);
    add_state(out, entry.name, stored);
    return out;
  }

  /// A model that the catalogue does not have: only what was seen of it is known here, as files are read in confined
  /// processes alone.
  Json of_person(const store::InstalledModel& stored) const {
    Json out = {{"name", stored.name},
                {"description", ""},
                {"architecture", ""},
                {"parameters", nullptr},
                {"quantisation", ""},
                {"chat", true},
                {"trained_context_length", nullptr},
                {"licence", nullptr},
                {"bytes", stored.bytes},
                {"partial_bytes", 0},
                {"memory", nullptr},
                {"estimated_bytes", nullptr},
                {"fits", nullptr},
                {"speed", nullptr}};
    add_state(out, stored.name, &stored);
    return out;
  }

  void add_forecast(Json& out, const store::CatalogueEntry& entry) const {
    const auto shape = core::shape_of(entry.shape, entry.quantisation);
    if (!shape) return;
    const auto file = core::describe_shape(*shape->first, *shape->second);
    if (!file) return;
    const auto needs = core::needs_of(*file, core::usual_tokenizer_bytes(shape->first->vocabulary), options_);
    if (!needs) return;
    const uint64_t program_bytes = app_.surroundings().program_bytes;
    out["memory"] = to_json(needs->memory, program_bytes);
    out["fits"] = needs->memory.total_bytes() + program_bytes <= options_.memory_limit_bytes;
    const auto speed = limits_ ? core::forecast_speed(*needs, *limits_) : std::nullopt;
    if (speed)
      out["speed"] = {{"decode_tps", to_json(speed->decode)},
                      {"prefill_tps", to_json(speed->prefill)},
                      {"depth", speed->depth},
                      {"prompt", speed->prompt_tokens}};
  }

  void add_state(Json& out, const std::string& name, const store::InstalledModel* stored) const {
    const auto loaded = std::ranges::find_if(resident_, [&](const auto& each) { return each.model->name() == name; });
    const bool is_loaded = loaded != resident_.end();
    out["stored"] = stored != nullptr;
    out["default"] = name == default_;
    out["loaded"] = is_loaded;
    out["answering"] = is_loaded && loaded->model->busy();
    out["context_length"] = is_loaded ? Json(loaded->model->info().context_length) : Json();
    if (is_loaded) {
      const core::EngineInfo& info = loaded->model->info();
      out["architecture"] = info.architecture;
      out["parameters"] = info.parameters;
      out["quantisation"] = info.quantization;
      out["trained_context_length"] = info.trained_context_length;
      out["fits"] = true;
    }
    const std::string key = stored == nullptr ? std::string() : speed_key(*stored);
    out["measured"] = {{"decode_tps", to_json(app_.speeds().decode(key))},
                       {"prefill_tps", to_json(app_.speeds().prefill(key))}};
  }

  const Call& call_;
  App& app_;
  const store::Store& store_;
  core::EngineOptions options_;
  const std::optional<core::MachineLimits> limits_;
  const std::vector<assistant::ModelPool::Resident> resident_;
  const std::string default_;
};

}  // namespace

Result<Json> catalogue_json(const Call& call, std::optional<uint32_t> context) {
  INGLE_TRY(const store::Store store, call.stored->open());
  const Listing listing(call, store, context);
  const AppSurroundings& known = call.app->surroundings();
  std::error_code failure;
  const auto space = std::filesystem::space(call.stored->folder(), failure);
  return Json{{"context", context ? Json(*context) : Json()},
              {"free_bytes", listing.free_bytes()},
              {"disk_free_bytes", failure ? Json() : Json(space.available)},
              {"offline", known.offline.empty() ? Json() : Json(known.offline)},
              {"engine", call.pool->may_load().ok()},
              {"measuring", call.app->measure_limits()},
              {"recommended", known.recommended.empty() ? Json() : Json(known.recommended)},
              {"models", listing.models()},
              {"pulls", call.app->pulls().list()}};
}

std::optional<ApiError> offline_error(const Call& call) {
  const std::string& why = call.app->surroundings().offline;
  if (why.empty()) return std::nullopt;
  return ApiError{409, "nothing can be fetched: " + why, "model", "offline", {}};
}

std::optional<std::string> idle_model(Call& call, const std::string& asked) {
  std::string name = call.stored->name_of(asked);
  if (name.empty()) {
    call.fail({404, "the model '" + asked.substr(0, 128) + "' is not here", "model", "model_not_found", {}});
    return std::nullopt;
  }
  const assistant::Model model = call.pool->find(name);
  if (!model || !model->busy()) return name;
  call.fail({409, "the model '" + name + "' is writing an answer; stop that first, or wait", "model", "in_use", {}});
  return std::nullopt;
}

base::Result<store::Store::Removed> remove_model(const Call& call, const std::string& name) {
  INGLE_TRY(store::Store store, call.stored->open());
  const auto installed = call.stored->find(name);
  auto removed = store.remove(name);
  call.stored->changed();
  if (!removed) return removed;
  call.pool->drop(name);
  if (installed && removed->bytes_freed > 0) {
    call.pool->forget_file(installed->path);
    call.app->speeds().forget(speed_key(*installed));
  }
  call.events->publish({{"type", "models"}});
  return removed;
}

}  // namespace ingle::server
