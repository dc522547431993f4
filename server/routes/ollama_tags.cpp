// GET /api/tags: the models.
#include "server/api/ollama_model.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  base::Json models = base::Json::array();
  for (const store::InstalledModel& model : call.stored->list())
    models.push_back(ollama_model_json(model, call.pool->find(model.name)));
  call.respond({{"models", std::move(models)}});
}

}  // namespace

extern const Route ollama_tags_record;
const Route ollama_tags_record{.method = "GET",
                               .path = "/api/tags",
                               .family = Family::ollama,
                               .summary = "list the models, in Ollama's form",
                               .handle = handle};

}  // namespace ingle::server
