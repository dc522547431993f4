// GET /health: 200 once models can be asked.
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (!call.ready) return call.fail({503, "the model is being loaded", {}, "loading_model", 1});
  call.respond({{"status", "ok"}});
}

}  // namespace

extern const Route health_record;
const Route health_record{.method = "GET",
                          .path = "/health",
                          .scope = Scope::none,
                          .summary = "whether the server can answer",
                          .handle = handle};

}  // namespace ingle::server
