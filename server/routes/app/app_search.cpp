// GET /app/search
#include "server/app/routes.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"q", kAnything, "words that all have to be there; in quotes, in this order", Use::required},
    {"limit", integer(1, 200), "50 where it is not given"},
};

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  const base::Json& words = (*query)["q"];  // 2026 was read as a number
  const auto limit = static_cast<size_t>(Reader(*query).integer("limit").value_or(50));
  const auto found =
      call.conversations->kept().search(words.is_string() ? words.get<std::string>() : to_text(words), limit);
  if (!found) return call.fail(api_error(found.error()));
  base::Json results = base::Json::array();
  for (const assistant::Found& each : *found) results.push_back(to_json(each));
  call.respond({{"results", std::move(results)}});
}

}  // namespace

extern const Route app_search_record;
const Route app_search_record{.method = "GET",
                              .path = "/app/search",
                              .scope = Scope::person,
                              .summary = "find words in titles and messages",
                              .handle = handle};

}  // namespace ingle::server
