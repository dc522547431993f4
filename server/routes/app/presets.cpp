// GET /app/presets
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto all = call.conversations->kept().presets();
  if (!all) return call.fail(api_error(all.error()));
  base::Json list = base::Json::array();
  for (const assistant::Preset& each : *all) list.push_back(to_json(each));
  call.respond({{"presets", std::move(list)}});
}

}  // namespace

extern const Route presets_record;
const Route presets_record{.method = "GET",
                           .path = "/app/presets",
                           .scope = Scope::person,
                           .summary = "list presets, by name",
                           .handle = handle};

}  // namespace ingle::server
