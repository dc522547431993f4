// GET /app/pulls: models that are being fetched.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  call.respond({{"pulls", call.app->pulls().list()}});
}

}  // namespace

extern const Route pulls_record;
const Route pulls_record{.method = "GET",
                         .path = "/app/pulls",
                         .scope = Scope::person,
                         .summary = "the downloads that run, are paused or have failed",
                         .handle = handle};

}  // namespace ingle::server
