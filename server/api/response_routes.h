// What routes of kept responses share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/api/response_store.h"
#include "server/api/route.h"

namespace ingle::server {

/// The caller's response of that id, or nothing after no_response().
std::optional<StoredResponse> stored_response(Call& call, const std::string& id);
/// Fails the call: the same for what there never was and what is somebody else's.
void no_response(Call& call, const std::string& id);

/// "a=1&b=x%20y&c[]=z" as an object of texts, and of numbers and truth values where they are such; "c[]" is "c".
base::Json query_json(std::string_view query);

}  // namespace ingle::server
