// GET /app/state: what a page shows first.
#include <algorithm>

#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto resident = call.pool->resident();
  base::Json models = base::Json::array();
  for (const store::InstalledModel& model : call.stored->list()) {
    const auto loaded =
        std::ranges::find_if(resident, [&](const auto& each) { return each.model->name() == model.name; });
    const bool is_loaded = loaded != resident.end();
    models.push_back({{"name", model.name},
                      {"bytes", model.bytes},
                      {"loaded", is_loaded},
                      {"context_length", is_loaded ? base::Json(loaded->model->info().context_length) : base::Json()}});
  }
  const std::string name = call.stored->default_name();
  call.respond({{"version", INGLE_VERSION},
                {"ready", call.ready},
                {"default_model", name.empty() ? base::Json() : base::Json(name)},
                {"models", std::move(models)},
                {"welcomed", call.app->welcome().seen()}});
}

}  // namespace

extern const Route app_state_record;
const Route app_state_record{.method = "GET",
                             .path = "/app/state",
                             .scope = Scope::person,
                             .summary = "the server's version and models",
                             .handle = handle};

}  // namespace ingle::server
