// GET /app/inspector: replies as they come to be, from now on.
#include "server/app/inspector.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"layers", kBoolean, "keep what goes through the model's layers, which the lens and attention need"},
    {"timeline", kBoolean, "keep when each operation ran"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  Reader reader(*query);
  const Inspector::Wishes wishes{reader.boolean("layers").value_or(false), reader.boolean("timeline").value_or(false)};
  call.inspector->open(call.exchange, call.response("text/event-stream"), wishes);
}

}  // namespace

extern const Route inspector_stream_record;
const Route inspector_stream_record{
    .method = "GET",
    .path = "/app/inspector",
    .scope = Scope::person,
    .summary = "how replies come to be, token by token, and how the device fares, as server-sent events without an end",
    .answers = "text/event-stream",
    .handle = handle};

}  // namespace ingle::server
