// GET /openapi.json: what all routes take and answer, for programs.
#include "server/api/openapi.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  call.respond(openapi_document(all_routes(), INGLE_VERSION));
}

}  // namespace

extern const Route openapi_record;
const Route openapi_record{
    .method = "GET", .path = "/openapi.json", .scope = Scope::none, .summary = "this document", .handle = handle};

}  // namespace ingle::server
