// POST /app/models/{model}/unload: drops a model from memory.
#include "server/app/catalogue.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto name = idle_model(call, call.parameter);
  if (!name) return;
  call.pool->drop(*name);
  call.events->publish({{"type", "models"}});
  call.respond(base::Json::object());
}

}  // namespace

extern const Route model_unload_record;
const Route model_unload_record{.method = "POST",
                                .path = "/app/models/{model}/unload",
                                .scope = Scope::person,
                                .summary = "drop a model from memory; the next request loads it anew",
                                .parameter = "the model's name",
                                .handle = handle};

}  // namespace ingle::server
