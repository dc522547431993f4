// GET /v1/models
#include "server/api/model_json.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  base::Json data = base::Json::array();
  for (const store::InstalledModel& model : call.stored->list())
    data.push_back(model_json(model, call.pool->find(model.name)));
  call.respond({{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace

extern const Route models_record;
const Route models_record{.method = "GET", .path = "/v1/models", .summary = "list the models", .handle = handle};

}  // namespace ingle::server
