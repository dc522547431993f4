// GET /app/retention[?days=30]: how long conversations are kept, and what would go.
#include "assistant/conversations/retention.h"

#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr Field kFields[] = {
    {"days", integer(0, assistant::kLongestKept), "tell what would go with this many; 0: forever"}};

void handle(Call& call) {
  const auto query = checked_query(call, kFields);
  if (!query) return;
  const auto rule = call.retention->rule();
  if (!rule) return call.fail(api_error(rule.error()));
  Reader reader(*query);
  const auto old = call.retention->too_old(reader.integer("days").value_or(rule->days));
  if (!old) return call.fail(api_error(old.error()));
  call.respond({{"days", rule->days}, {"fixed", rule->is_fixed}, {"too_old", old->size()}});
}

}  // namespace

extern const Route retention_record;
const Route retention_record{.method = "GET",
                             .path = "/app/retention",
                             .scope = Scope::person,
                             .summary = "after how many days conversations are deleted, and how many would be now",
                             .handle = handle};

}  // namespace ingle::server
