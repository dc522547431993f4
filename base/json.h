// JSON: nlohmann's ordered DOM (object order is the text's, as Python's dict keeps it) behind a bounded parser.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace ingle::base {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t max_bytes = size_t{256} << 20;
  size_t max_depth = 256;
  size_t max_members = 16384;  ///< of one object; finding a member takes time in proportion to them
};

/// Parses untrusted text. Errors: limit_exceeded, corrupt (with the byte offset). Never throws.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace ingle::base
