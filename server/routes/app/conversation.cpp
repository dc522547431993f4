// GET /app/conversations/{id}
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"since", integer(0),
     "only messages that changed after this value of `changed`; `whole` tells where all are there"},
};

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  const auto found = call.conversations->of(*id).messages(*id, Reader(*query).integer("since").value_or(0));
  if (!found) return call.fail(api_error(found.error()));
  base::Json json = to_json(found->conversation);
  json["whole"] = found->whole;
  json["messages"] = base::Json::array();
  for (const assistant::Message& message : found->messages) json["messages"].push_back(to_json(message));
  call.respond(json);
}

}  // namespace

extern const Route conversation_record;
const Route conversation_record{.method = "GET",
                                .path = "/app/conversations/{id}",
                                .scope = Scope::person,
                                .summary = "a conversation with its messages",
                                .parameter = "its number",
                                .handle = handle};

}  // namespace ingle::server
