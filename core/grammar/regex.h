// Regular expressions to expressions. ECMAScript's syntax (ECMA-262, 22.2.1) over code points, without what no finite
// automaton has or few patterns use: look-around, back-references, \b, \B, \p. A lazy quantifier means what the greedy
// one does: it is the same language. Anchors may stand where they can only mean the text's begin or end.
#pragma once

#include <string_view>

#include "core/grammar/expression.h"

namespace ingle::grammar {

enum class RegexUse : uint8_t {
  whole,  ///< the whole text matches
  search  ///< some part of the text does, as `pattern` in JSON Schema
};

/// Errors: invalid_argument, unsupported (with the byte), limit_exceeded.
Expression parse_regex(std::string_view pattern, RegexUse use, const core::GrammarLimits& limits);

}  // namespace ingle::grammar
