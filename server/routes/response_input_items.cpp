// GET /v1/responses/{id}/input_items: what came with the request of a response, the latest first.
#include <algorithm>

#include "server/api/response_routes.h"

namespace ingle::server {
namespace {

constexpr std::string_view kOrders[] = {"asc", "desc"};
constexpr Field kQuery[] = {
    {"after", kText, "the id of the item before the first"},
    {"limit", integer(1, 100), "20 where it is not given"},
    {"order", one_of(kOrders), "desc where it is not given"},
    {"include", "", Use::hint},
};

void handle(Call& call) {
  const base::Json query = query_json(call.exchange->request().query);
  Reader reader(query, {}, &call.unused);
  reader.check(kQuery);
  const int64_t limit = reader.integer("limit").value_or(20);
  const std::string order = reader.text("order").value_or("desc"), after = reader.text("after").value_or("");
  if (reader.error()) return call.fail(*reader.error());
  const auto stored = stored_response(call, call.parameter);
  if (!stored) return;
  std::vector<base::Json> items = stored->input->items;
  if (order == "desc") std::ranges::reverse(items);
  auto first = items.begin();
  if (!after.empty()) {
    first = std::ranges::find_if(items, [&](const base::Json& item) { return item["id"] == after; });
    if (first == items.end())
      return call.fail({400, "there is no item '" + after.substr(0, 64) + "' here", "after", {}, {}});
    ++first;
  }
  const auto last = first + std::min<ptrdiff_t>(limit, items.end() - first);
  const base::Json data(std::vector<base::Json>(first, last));
  call.respond({{"object", "list"},
                {"data", data},
                {"first_id", data.empty() ? base::Json() : data.front()["id"]},
                {"last_id", data.empty() ? base::Json() : data.back()["id"]},
                {"has_more", last != items.end()}});
}

}  // namespace

extern const Route response_input_items_record;
const Route response_input_items_record{.method = "GET",
                                        .path = "/v1/responses/{id}/input_items",
                                        .summary = "list what a response answers",
                                        .parameter = "the id of a response that is kept",
                                        .handle = handle};

}  // namespace ingle::server
