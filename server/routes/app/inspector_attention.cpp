// GET /app/attention/{message}: where each head of a layer looked.
#include "server/app/inspector_answers.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"token", integer(0), "the number of the generated token", Use::required},
    {"layer", integer(0), "the layer's number", Use::required},
};

void handle(Call& call) {
  const auto message = path_id(call);
  const auto query = message ? checked_query(call, kQuery) : std::nullopt;
  if (!query) return;
  Reader reader(*query);
  const auto token = static_cast<uint32_t>(*reader.integer("token"));
  const auto layer = static_cast<uint32_t>(*reader.integer("layer"));
  ask_inspected(call, *message, [token, layer](assistant::ModelService& model, uint64_t key) {
    return attention_json(model, key, token, layer);
  });
}

}  // namespace

extern const Route inspector_attention_record;
const Route inspector_attention_record{
    .method = "GET",
    .path = "/app/attention/{message}",
    .scope = Scope::person,
    .summary = "where each head of a layer looked when a token of a reply was chosen",
    .parameter = "the reply's number",
    .handle = handle};

}  // namespace ingle::server
