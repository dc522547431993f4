// GET /app/hardware: what was detected of this machine, and what was chosen for it.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const AppSurroundings& known = call.app->surroundings();
  base::Json json = known.hardware ? known.hardware() : base::Json::object();
  const auto limits = call.app->limits();
  json["bytes_per_second"] = limits ? base::Json(limits->large_bytes) : base::Json();
  json["measuring"] = call.app->measure_limits();
  json["seen"] = call.app->welcome().seen();
  json["recommended"] = nullptr;
  if (!known.recommended.empty()) json["recommended"] = {{"model", known.recommended}, {"why", known.recommended_why}};
  call.respond(json);
}

}  // namespace

extern const Route app_hardware_record;
const Route app_hardware_record{.method = "GET",
                                .path = "/app/hardware",
                                .scope = Scope::person,
                                .summary = "what was detected of this machine, and what was chosen for it and why",
                                .handle = handle};

}  // namespace ingle::server
