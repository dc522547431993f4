// POST /api/copy: a further name for a model. Its file is not copied.
#include "server/api/ollama.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

constexpr char kType[] = "text/plain; charset=utf-8";  // an empty body

void handle(Call& call) {
  Reader reader(call.body);
  const std::string source = reader.text("source").value_or(""), destination = reader.text("destination").value_or("");
  if (reader.error()) return call.fail(*reader.error());
  const std::string name = call.stored->name_of(source);
  if (name.empty()) return call.fail({404, "model '" + source + "' not found", "source", "model_not_found", {}});
  auto store = call.stored->open();
  if (!store) return call.fail(api_error(store.error()));
  const auto copied = store->copy(name, destination);
  call.stored->changed();
  if (!copied) return call.fail(api_error(copied.error(), "destination"));
  call.exchange->respond(call.response(kType));
}

constexpr Field kFields[] = {
    {"source", kText, "a name of GET /api/tags", Use::required},
    {"destination", kText, "the new name: lower case letters, digits, '.', '_' and '-'", Use::required},
};

}  // namespace

extern const Route ollama_copy_record;
const Route ollama_copy_record{.method = "POST",
                               .path = "/api/copy",
                               .family = Family::ollama,
                               .scope = Scope::models,
                               .summary = "give a model a further name, in Ollama's form",
                               .fields = kFields,
                               .answers = kType,
                               .asks_model = false,
                               .handle = handle};

}  // namespace ingle::server
