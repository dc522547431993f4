// GET /app/catalogue: models that can be had, and those that are here.
#include "server/app/catalogue.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"context", integer(128, 1 << 20), "tokens to plan memory for; what the server would choose where it is not given"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  Reader reader(*query);
  const auto context = reader.integer("context");
  const auto json = catalogue_json(call, context ? std::optional(static_cast<uint32_t>(*context)) : std::nullopt);
  if (!json) return call.fail(api_error(json.error()));
  call.respond(*json);
}

}  // namespace

extern const Route app_catalogue_record;
const Route app_catalogue_record{
    .method = "GET",
    .path = "/app/catalogue",
    .scope = Scope::person,
    .summary = "the models that can be had and those that are here, with the memory and speed of each",
    .handle = handle};

}  // namespace ingle::server
