// GET /v1/models/{model}
#include "server/api/model_json.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const std::string name = call.stored->name_of(call.parameter);
  if (const auto model = call.stored->find(name); model.ok())
    return call.respond(model_json(*model, call.pool->find(name)));
  call.fail({404, "the model '" + call.parameter.substr(0, 128) + "' is not here", "model", "model_not_found", {}});
}

}  // namespace

extern const Route model_record;
const Route model_record{.method = "GET",
                         .path = "/v1/models/{model}",
                         .summary = "describe a model",
                         .parameter = "a name of GET /v1/models",
                         .handle = handle};

}  // namespace ingle::server
