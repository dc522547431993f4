// POST /app/models/{model}/load: has a model in memory, and answers when it is there.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void answer(Call call, const base::Status& loaded) {
  call.events->publish({{"type", "models"}});
  respond_with(call, loaded);
}

void handle(Call& call) {
  const std::string name = call.stored->name_of(call.parameter);
  if (name.empty())
    return call.fail(
        {404, "the model '" + call.parameter.substr(0, 128) + "' is not here", "model", "model_not_found", {}});
  // A server without a model takes the first one for its own.
  const auto& begin = call.app->surroundings().begin_with;
  if (call.ready && call.stored->default_name().empty() && begin)
    return call.in_background([call, name, begin] { answer(call, begin(name)); });
  call.pool->when_loaded(name, [call](const base::Result<assistant::Model>& loaded) {
    answer(call, loaded ? base::Status() : base::Status(loaded.error()));
  });
}

}  // namespace

extern const Route model_load_record;
const Route model_load_record{.method = "POST",
                              .path = "/app/models/{model}/load",
                              .scope = Scope::person,
                              .summary = "have a model in memory",
                              .parameter = "the model's name",
                              .handle = handle};

}  // namespace ingle::server
