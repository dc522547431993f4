// config.json and its like, flattened to Metadata.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

/// Adds the members of a JSON object to `out`, each under `prefix` + its path: {"rope": {"theta": 1}} gives
/// "rope.theta". Whole numbers become uint64_t, negative ones int64_t, others double. An array of only strings, only
/// booleans or only numbers becomes one value (of doubles where any number is one; an empty one counts as unsigned);
/// other arrays are flattened by position ("a.0.b"). null is left out. Errors: corrupt (not an object, bad JSON, a path
/// twice), limit_exceeded (1 MiB, 32 levels). `file` starts the message.
base::Status flatten_json(std::string_view text, std::string_view prefix, std::string_view file, Metadata& out);

}  // namespace ingle::core
