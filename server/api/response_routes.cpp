#include "server/api/response_routes.h"

#include <algorithm>

#include "server/http/target.h"

namespace ingle::server {

std::optional<StoredResponse> stored_response(Call& call, const std::string& id) {
  auto stored = call.responses->find(call.principal, id);
  if (!stored) no_response(call, id);
  return stored;
}

void no_response(Call& call, const std::string& id) {
  call.fail({404, "there is no response '" + id.substr(0, 64) + "'", "id", "response_not_found", {}});
}

base::Json query_json(std::string_view query) {
  base::Json json = base::Json::object();
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    std::string name = percent_decode(pair.substr(0, equals)).value_or("?");
    if (name.ends_with("[]")) name.resize(name.size() - 2);
    const std::string value = percent_decode(pair.substr(std::min(pair.size(), equals + 1))).value_or("?");
    const bool number = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == value.npos;
    if (!name.empty())
      json[name] = number                                ? base::Json(std::stoi(value))
                   : value == "true" || value == "false" ? base::Json(value == "true")
                                                         : base::Json(value);
  }
  return json;
}

}  // namespace ingle::server
