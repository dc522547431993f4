// POST /app/session: a code of `ingle open` becomes a page's token.
#include <ctime>

#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  const std::string code = reader.text("code").value_or("");
  if (call.keys == nullptr || call.origin.empty())
    return call.fail({401, "only a page can have a token for a page", "code", "invalid_code", {}});
  const auto created = call.keys->exchange(code, call.origin, std::time(nullptr));
  if (!created && created.error().code == base::ErrorCode::permission_denied)
    return call.fail(
        {401, "this code is not valid any more; 'ingle open' makes a new one", "code", "invalid_code", {}});
  if (!created) return call.fail(api_error(created.error()));
  call.respond({{"token", created->token}, {"expires", created->key.expires.value_or(0) * 1000}});
}

constexpr Field kFields[] = {{"code", kText, "of the address that 'ingle open' shows; it is good once", Use::required}};

}  // namespace

extern const Route session_new_record;
const Route session_new_record{.method = "POST",
                               .path = "/app/session",
                               .scope = Scope::none,
                               .summary = "a token for a page, against a code",
                               .fields = kFields,
                               .asks_model = false,
                               .handle = handle};

}  // namespace ingle::server
