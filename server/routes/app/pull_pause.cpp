// POST /app/pulls/{model}/pause: stops a download and keeps what is there.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (!call.app->pulls().pause(call.parameter))
    return call.fail({404, "'" + call.parameter.substr(0, 128) + "' is not being fetched", "model", "not_found", {}});
  call.respond({{"pulls", call.app->pulls().list()}});
}

}  // namespace

extern const Route pull_pause_record;
const Route pull_pause_record{.method = "POST",
                              .path = "/app/pulls/{model}/pause",
                              .scope = Scope::person,
                              .summary = "stop a download, and keep what is there",
                              .parameter = "what POST /app/pulls was given",
                              .handle = handle};

}  // namespace ingle::server
