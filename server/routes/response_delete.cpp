// DELETE /v1/responses/{id}
#include "server/api/response_routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (!call.responses->remove(call.principal, call.parameter)) return no_response(call, call.parameter);
  call.pool->forget(call.principal);  // the text is in what was computed of it, too; which of it, nobody knows
  call.respond({{"id", call.parameter}, {"object", "response"}, {"deleted", true}});
}

}  // namespace

extern const Route response_delete_record;
const Route response_delete_record{.method = "DELETE",
                                   .path = "/v1/responses/{id}",
                                   .summary = "forget a response",
                                   .parameter = "the id of a response that is kept",
                                   .handle = handle};

}  // namespace ingle::server
