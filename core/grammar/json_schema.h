// JSON Schema to rules.
#pragma once

#include "base/json.h"
#include "core/grammar/expression.h"

namespace ingle::grammar {

/// The rule of the schema's values. `schema` must live as long as the call. Errors: unsupported and invalid_argument
/// (with keyword and JSON pointer), limit_exceeded.
RuleId add_json_schema(Draft& draft, const base::Json& schema, const core::JsonSchemaOptions& options);

/// Any JSON object.
RuleId add_json_object(Draft& draft, const core::JsonSchemaOptions& options);

}  // namespace ingle::grammar
