// DELETE /api/delete: removes a model from the store, and from memory once nobody uses it.
#include "server/api/ollama.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

constexpr char kType[] = "text/plain; charset=utf-8";  // an empty body

void handle(Call& call) {
  Reader reader(call.body);
  const std::string asked = read_model_name(reader);
  if (reader.error()) return call.fail(*reader.error());
  const std::string name = call.stored->name_of(asked);
  if (name.empty()) return call.fail({404, "model '" + asked + "' not found", "model", "model_not_found", {}});
  auto store = call.stored->open();
  if (!store) return call.fail(api_error(store.error()));
  const auto installed = call.stored->find(name);
  const auto removed = store->remove(name);
  call.stored->changed();
  if (!removed) return call.fail(api_error(removed.error(), "model"));
  call.pool->drop(name);
  if (installed && removed->bytes_freed > 0) call.pool->forget_file(installed->path);
  call.exchange->respond(call.response(kType));
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /api/tags"},
    {"name", kText, "the same, as older clients say it"},
};

}  // namespace

extern const Route ollama_delete_record;
const Route ollama_delete_record{.method = "DELETE",
                                 .path = "/api/delete",
                                 .family = Family::ollama,
                                 .scope = Scope::models,
                                 .summary = "remove a model, in Ollama's form",
                                 .fields = kFields,
                                 .answers = kType,
                                 .asks_model = false,
                                 .handle = handle};

}  // namespace ingle::server
