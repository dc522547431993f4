// GET /v1/responses/{id}
#include "server/api/response_routes.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"include", "", Use::hint},
    {"include_obfuscation", "", Use::hint},
    {"stream", "events are not kept; ask for the response as a whole", Use::refused},
    {"starting_after", "events are not kept", Use::refused},
};

void handle(Call& call) {
  const base::Json query = query_json(call.exchange->request().query);
  Reader reader(query, {}, &call.unused);
  reader.check(kQuery);
  if (reader.error()) return call.fail(*reader.error());
  if (const auto stored = stored_response(call, call.parameter)) call.respond(stored->response);
}

}  // namespace

extern const Route response_record;
const Route response_record{.method = "GET",
                            .path = "/v1/responses/{id}",
                            .summary = "show a response that is kept",
                            .parameter = "the id of a response that is kept",
                            .handle = handle};

}  // namespace ingle::server
