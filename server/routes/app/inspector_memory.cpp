// GET /app/memory: where a model has its memory.
#include "server/app/inspector_answers.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"model", kText, "the one that replies come from, where it is not given"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  const std::string asked = Reader(*query).text("model").value_or(call.stored->default_name());
  ask_model(call, call.stored->name_of(asked), [](assistant::ModelService& model) { return memory_json(model); });
}

}  // namespace

extern const Route inspector_memory_record;
const Route inspector_memory_record{
    .method = "GET",
    .path = "/app/memory",
    .scope = Scope::person,
    .summary = "where a model has its memory: weights, the arena of activations, pages of keys and values",
    .handle = handle};

}  // namespace ingle::server
