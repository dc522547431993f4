// A value against a JSON schema, in the subset that built-in tools use: type (one), enum, required, properties,
// additionalProperties (false), maxLength, minimum, maximum, description.
// Source: JSON Schema 2020-12, validation.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ingle::assistant {

/// Whether `value` matches. `where` names it in messages: "the arguments". `schema` passed check_schema. Errors:
/// invalid_argument, limit_exceeded (maxLength); each says what was wrong and what is allowed.
base::Status check_value(const base::Json& schema, const base::Json& value, std::string_view where);

/// Whether `schema` keeps to the subset, names only properties that it has as required, and bounds every text. Errors:
/// unsupported.
base::Status check_schema(const base::Json& schema);

}  // namespace ingle::assistant
