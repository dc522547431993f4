// The value of every option of a command, and where it came from: flag, environment, configuration file or default.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/option.h"

namespace ingle::cli {

enum class Origin { fallback, config_file, environment, flag };
std::string_view origin_name(Origin origin);  ///< "default", "config file", "environment", "flag"

struct Value {
  const Option* option = nullptr;
  std::vector<std::string> texts;  ///< checked; several only where the option is repeatable; empty: no value
  Origin origin = Origin::fallback;
  std::string where;  ///< "--temp", "INGLE_TEMP", "/home/me/.config/ingle/config.toml:3", ""
};

/// Values by option name. Asking for an option that the command does not take is a programmer's error.
class Values {
 public:
  /// The defaults of `options`.
  explicit Values(const std::vector<const Option*>& options);
  Values() = default;

  /// Checks and stores; for a repeatable option all texts at once. Errors: invalid_argument.
  base::Status set(const Option& option, std::vector<std::string> texts, Origin origin, std::string where);

  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  const Value& at(std::string_view name) const;
  /// Whether anything but the default names it.
  bool is_set(std::string_view name) const { return at(name).origin != Origin::fallback; }

  std::string text(std::string_view name) const;  ///< empty where there is none
  const std::vector<std::string>& list(std::string_view name) const { return at(name).texts; }
  bool flag(std::string_view name) const;
  int64_t integer(std::string_view name) const;  ///< 0 where there is none
  double number(std::string_view name) const;
  uint64_t bytes(std::string_view name) const;

 private:
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace ingle::cli
