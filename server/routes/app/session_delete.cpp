// DELETE /app/session
#include <ctime>

#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (call.keys == nullptr || call.token.empty()) return call.respond(base::Json::object());
  const auto principal = call.keys->verify(call.token, std::time(nullptr));
  if (!principal) return call.fail(api_error(principal.error()));
  if (principal->origin.empty())
    return call.fail({400, "this key is no page's; 'ingle key revoke' revokes it", {}, {}, {}});
  respond_with(call, call.keys->revoke(principal->id));
}

}  // namespace

extern const Route session_delete_record;
const Route session_delete_record{.method = "DELETE",
                                  .path = "/app/session",
                                  .scope = Scope::person,
                                  .summary = "end a page's token",
                                  .handle = handle};

}  // namespace ingle::server
