// DELETE /app/presets/{id}
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (const auto id = path_id(call)) respond_with(call, call.conversations->kept().remove_preset(*id));
}

}  // namespace

extern const Route preset_delete_record;
const Route preset_delete_record{.method = "DELETE",
                                 .path = "/app/presets/{id}",
                                 .scope = Scope::person,
                                 .summary = "delete a preset",
                                 .parameter = "its number",
                                 .handle = handle};

}  // namespace ingle::server
