// DELETE /api/delete: removes a model from the store and from memory.
#include "server/api/ollama.h"
#include "server/api/route.h"
#include "server/app/catalogue.h"

namespace ingle::server {
namespace {

constexpr char kType[] = "text/plain; charset=utf-8";  // an empty body

void handle(Call& call) {
  Reader reader(call.body);
  const std::string asked = read_model_name(reader);
  if (reader.error()) return call.fail(*reader.error());
  const auto name = idle_model(call, asked);
  if (!name) return;
  const auto removed = remove_model(call, *name);
  if (!removed) return call.fail(api_error(removed.error(), "model"));
  call.exchange->respond(call.response(kType));
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /api/tags"},
    {"name", kText, "the same, as older clients say it"},
};

}  // namespace

extern const Route ollama_delete_record;
const Route ollama_delete_record{
    .method = "DELETE",
    .path = "/api/delete",
    .family = Family::ollama,
    .scope = Scope::models,
    .summary = "remove a model, in Ollama's form; it is refused while the model writes an answer",
    .fields = kFields,
    .answers = kType,
    .asks_model = false,
    .handle = handle};

}  // namespace ingle::server
