// POST /app/welcome: the page of the first run has been seen.
#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  const bool seen = reader.boolean("seen").value_or(false);
  respond_with(call, seen ? call.app->welcome().set_seen() : base::Status());
}

constexpr Field kFields[] = {
    {"seen", kBoolean, "true: it has been seen, and is not opened by itself any more", Use::required}};

}  // namespace

extern const Route app_welcome_record;
const Route app_welcome_record{.method = "POST",
                               .path = "/app/welcome",
                               .scope = Scope::person,
                               .summary = "do not open the page of the first run by itself any more",
                               .fields = kFields,
                               .asks_model = false,
                               .handle = handle};

}  // namespace ingle::server
