// Calls as text, for prompts: what the readers of this folder read, and as a model would write it.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace ingle::assistant {

/// JSON with separators as Python's json.dumps has them, ", " and ": ", which models have seen most. What is not UTF-8
/// becomes U+FFFD.
std::string json_text(const base::Json& value);

/// {"name": NAME, KEY: arguments}
std::string json_call_text(std::string_view name, std::string_view key, const base::Json& arguments);

/// For CallForm::write: the same, with the key "arguments" or "parameters".
std::string arguments_call_text(std::string_view name, const base::Json& arguments);
std::string parameters_call_text(std::string_view name, const base::Json& arguments);

/// For CallForm::write: name(key=value, …). What is no object has no such form and gives name().
std::string python_call_text(std::string_view name, const base::Json& arguments);

}  // namespace ingle::assistant
