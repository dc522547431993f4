// POST /app/messages/{id}/stop
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (const auto id = path_id(call)) respond_with(call, call.conversations->of(*id).stop_reply(*id));
}

}  // namespace

extern const Route message_stop_record;
const Route message_stop_record{.method = "POST",
                                .path = "/app/messages/{id}/stop",
                                .scope = Scope::person,
                                .summary = "stop a reply that is being written",
                                .parameter = "the reply's number",
                                .handle = handle};

}  // namespace ingle::server
