// What the routes of the web app share.
#pragma once

#include <optional>

#include "server/api/route.h"
#include "server/app/json.h"

namespace ingle::server {

/// The number that stands for {id} in the path; nothing after call.fail(): it is none.
std::optional<int64_t> path_id(Call& call);
/// Answers with what `result` has, as JSON; or with its error.
template <typename T>
void respond_with(Call& call, const base::Result<T>& result) {
  if (!result) return call.fail(api_error(result.error()));
  call.respond(to_json(*result));
}
/// Answers {}, or with the error.
void respond_with(Call& call, const base::Status& status);
/// The query of the address, checked by a table; nothing after call.fail().
std::optional<base::Json> checked_query(Call& call, std::span<const Field> fields);

/// An answer that a browser saves under a name, and never shows.
HttpResponse download(const Call& call, std::string_view name, std::string type, std::string bytes);

/// Whether the body sets a field to null, which for most tables is as if it were not there.
bool is_null(const base::Json& body, std::string_view name);

}  // namespace ingle::server
