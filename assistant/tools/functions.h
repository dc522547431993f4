// What a calculator's expression may name: functions and constants, one row of a table each.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "assistant/tools/number.h"
#include "base/result.h"

namespace ingle::assistant {

struct Function {
  std::string_view name;
  std::string_view form;  ///< as a person writes it: "log(x, base)"
  size_t least = 1, most = 1;
  /// Gets `least` to `most` arguments. Errors: invalid_argument, limit_exceeded.
  base::Result<Number> (*call)(std::span<const Number> arguments) = nullptr;
};

/// By its name in lower case, or null.
const Function* find_function(std::string_view name);
std::span<const Function> all_functions();

/// pi, e, tau.
std::optional<Number> find_constant(std::string_view name);

/// "abs, acos, …", for a message.
std::string known_names();

}  // namespace ingle::assistant
