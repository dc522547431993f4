// PATCH /app/retention
#include "assistant/conversations/retention.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  const auto days = reader.integer("days");
  if (!days) reader.fail("days", "'days' is missing");
  if (reader.error()) return call.fail(*reader.error());
  const auto deleted = call.retention->set_rule(*days);
  if (!deleted) return call.fail(api_error(deleted.error()));
  call.respond({{"days", *days}, {"deleted", *deleted}});
}

constexpr Field kFields[] = {
    {"days", integer(0, assistant::kLongestKept),
     "delete conversations that nobody touched for so many, but pinned ones, now and once a day; 0: none",
     Use::required},
};

}  // namespace

extern const Route retention_change_record;
const Route retention_change_record{.method = "PATCH",
                                    .path = "/app/retention",
                                    .scope = Scope::person,
                                    .summary = "decide how long conversations are kept",
                                    .fields = kFields,
                                    .asks_model = false,
                                    .handle = handle};

}  // namespace ingle::server
