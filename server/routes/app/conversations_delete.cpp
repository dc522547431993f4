// DELETE /app/conversations
#include "server/app/inspector.h"
#include "server/app/reply_job.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto kept = call.conversations->kept().remove_all();
  if (!kept) return call.fail(api_error(kept.error()));
  const auto temporary = call.conversations->temporary().remove_all();
  if (!temporary) return call.fail(api_error(temporary.error()));
  call.inspector->forget();
  call.pool->forget(person_principal());  // what was computed of them
  call.respond({{"deleted", *kept + *temporary}});
}

}  // namespace

extern const Route conversations_delete_record;
const Route conversations_delete_record{.method = "DELETE",
                                        .path = "/app/conversations",
                                        .scope = Scope::person,
                                        .summary = "delete all conversations",
                                        .handle = handle};

}  // namespace ingle::server
