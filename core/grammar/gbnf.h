// GBNF to rules.
#pragma once

#include <string_view>

#include "core/grammar/expression.h"

namespace ingle::grammar {

/// The rule `root`. Errors: invalid_argument, unsupported (with the line), limit_exceeded.
RuleId parse_gbnf(std::string_view text, Draft& draft, const core::JsonSchemaOptions& json);

}  // namespace ingle::grammar
