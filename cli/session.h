// What a command's handler gets: its values, its arguments, and the surroundings.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "cli/values.h"

namespace ingle::cli {

class Session {
 public:
  const Command* command = nullptr;
  Values values;
  std::vector<ParsedFlag> flags;  ///< as parsed, for resolve_settings
  std::vector<std::string> arguments;
  Environment environment;
  Paths paths;
  Terminal terminal;

  /// The i-th argument, or empty.
  std::string argument(size_t i) const { return i < arguments.size() ? arguments[i] : std::string(); }
  bool json() const { return values.has("json") && values.flag("json"); }
  /// Prints JSON and a newline on stdout; indented for a person who looks at it on a terminal.
  base::Status out_json(const base::Json& json) const;
  /// A notice for each of these flags that was given: it has no effect, and why. The environment and the configuration
  /// file speak to all runs, so what they say may well be of no use in this one.
  void note_unused(std::initializer_list<std::string_view> names, std::string_view why) const;
};

/// Puts the configuration file and the environment under the flags. Done before a command runs, unless its record says
/// `tolerates_config`: then it calls this itself where it needs the settings.
base::Status resolve_settings(Session& session);

/// The option that every command with machine-readable output lists.
inline constexpr Option json_option{.name = "json", .help = "machine-readable output (and errors)"};

/// Parses, resolves and runs; returns the exit code. main() is only this.
int run_main(const std::vector<std::string>& words, Environment environment);

}  // namespace ingle::cli
