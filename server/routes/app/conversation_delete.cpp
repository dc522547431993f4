// DELETE /app/conversations/{id}
#include "server/app/inspector.h"
#include "server/app/reply_job.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  call.inspector->forget();
  const base::Status removed = call.conversations->of(*id).remove(*id);
  // The text is in what was computed of it, too; which of it, nobody knows.
  if (removed) call.pool->forget(person_principal());
  respond_with(call, removed);
}

}  // namespace

extern const Route conversation_delete_record;
const Route conversation_delete_record{.method = "DELETE",
                                       .path = "/app/conversations/{id}",
                                       .scope = Scope::person,
                                       .summary = "delete a conversation",
                                       .parameter = "its number",
                                       .handle = handle};

}  // namespace ingle::server
