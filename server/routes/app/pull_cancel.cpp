// DELETE /app/pulls/{model}: stops a download and removes what is there.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  respond_with(call, call.app->pulls().cancel(call.parameter));
}

}  // namespace

extern const Route pull_cancel_record;
const Route pull_cancel_record{.method = "DELETE",
                               .path = "/app/pulls/{model}",
                               .scope = Scope::person,
                               .summary = "stop a download, and remove what is there of it",
                               .parameter = "what POST /app/pulls was given",
                               .handle = handle};

}  // namespace ingle::server
