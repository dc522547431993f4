// Tokens to syntax tree.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/template/ast.h"

namespace ingle::jinja {

/// Fails (Failure) with a line number on what Jinja's parser or compiler refuses, and over `max_depth` levels of
/// nesting. `source` must be valid UTF-8.
Program parse_program(std::string_view source, uint32_t max_depth);

}  // namespace ingle::jinja
