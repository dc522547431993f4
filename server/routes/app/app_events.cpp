// GET /app/events: what changes, from now on.
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const base::Status opened = call.events->open(call.exchange, call.response("text/event-stream"));
  if (!opened) call.fail(api_error(opened.error()));
}

}  // namespace

extern const Route app_events_record;
const Route app_events_record{.method = "GET",
                              .path = "/app/events",
                              .scope = Scope::person,
                              .summary = "what changes in conversations, as server-sent events without an end",
                              .answers = "text/event-stream",
                              .handle = handle};

}  // namespace ingle::server
