// GET /app/inspector/{message}: what was seen of a reply.
#include "server/app/inspector.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto message = path_id(call);
  if (!message) return;
  const auto recording = call.inspector->recording(*message);
  if (!recording) return call.fail(api_error(recording.error()));
  HttpResponse response = call.response("application/json");
  response.body = *recording;
  call.exchange->respond(std::move(response));
}

}  // namespace

extern const Route inspector_reply_record;
const Route inspector_reply_record{
    .method = "GET",
    .path = "/app/inspector/{message}",
    .scope = Scope::person,
    .summary = "how a reply came to be, token by token, where it was written while somebody looked",
    .parameter = "the reply's number",
    .handle = handle};

}  // namespace ingle::server
