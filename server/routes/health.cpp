// GET /health: 200 once models can be asked.
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  call.respond({{"status", call.ready ? "ok" : "loading model"}}, call.ready ? 200 : 503);
}

}  // namespace

extern const Route health_record;
const Route health_record{.method = "GET",
                          .path = "/health",
                          .scope = Scope::none,
                          .summary = "whether the server can answer",
                          .handle = handle};

}  // namespace ingle::server
