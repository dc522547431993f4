// GET /app/lens/{message}: what the model would say if it ended after each of its layers.
#include "server/app/inspector_answers.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"token", integer(0), "the number of the generated token", Use::required},
    {"top", integer(1, 50), "likeliest tokens of each layer; 5 where it is not given"},
};

void handle(Call& call) {
  const auto message = path_id(call);
  const auto query = message ? checked_query(call, kQuery) : std::nullopt;
  if (!query) return;
  Reader reader(*query);
  const auto token = static_cast<uint32_t>(*reader.integer("token"));
  const auto top = static_cast<uint32_t>(reader.integer("top").value_or(5));
  ask_inspected(call, *message, [token, top](assistant::ModelService& model, uint64_t key) {
    return lens_json(model, key, token, top);
  });
}

}  // namespace

extern const Route inspector_lens_record;
const Route inspector_lens_record{
    .method = "GET",
    .path = "/app/lens/{message}",
    .scope = Scope::person,
    .summary = "what the model would say if it ended after each of its layers (the logit lens), for a token of a reply",
    .parameter = "the reply's number",
    .handle = handle};

}  // namespace ingle::server
