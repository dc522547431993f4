// The document of the API, from the table of routes: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0).
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "server/api/route.h"

namespace ingle::server {

/// Says of each route what it takes and answers. Fields that are refused are not among the properties; the operation's
/// `x-ingle-refused` tells why, and a property's `x-ingle-hint` that it has no effect. Null may stand for any field
/// that is not required.
base::Json openapi_document(std::span<const Route* const> routes, const std::string& version);

}  // namespace ingle::server
