// DELETE /app/messages/{id}
#include "server/app/inspector.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  call.inspector->forget();
  respond_with(call, call.conversations->of(*id).remove_message(*id));
}

}  // namespace

extern const Route message_delete_record;
const Route message_delete_record{.method = "DELETE",
                                  .path = "/app/messages/{id}",
                                  .scope = Scope::person,
                                  .summary = "delete a message with all that follow it",
                                  .parameter = "its number",
                                  .handle = handle};

}  // namespace ingle::server
