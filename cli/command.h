// A command is one record in its own file, cli/commands/NAME.cpp: name, help, options and handler together. The build
// collects the folder; all_commands() lists what it found.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/option.h"
#include "cli/values.h"

namespace ingle::cli {

class Session;

struct Argument {
  std::string_view name;  ///< as help shows it: MODEL
  std::string_view help;
  ValueType type = ValueType::text;  ///< for completion
  bool required = false;
  bool repeatable = false;     ///< the last one only
  std::string_view choices{};  ///< for ValueType::choice
  std::string_view asked{};    ///< the KIND that completion asks `ingle __complete` for, instead of what the type says
};

struct Example {
  std::string_view line, says;
};

struct Command {
  std::string_view name;
  std::string_view alias{};
  std::string_view summary;        ///< one line, lower case, without a full stop
  std::string_view description{};  ///< paragraphs for --help and the man page, separated by an empty line
  std::span<const Argument> arguments{};
  std::span<const Option> options{};
  unsigned groups = group_general;  ///< the settings it takes, a union of Group
  std::span<const Example> examples{};
  int order = 100;                ///< place in the list of commands
  bool hidden = false;            ///< neither listed nor documented
  bool tolerates_config = false;  ///< a broken configuration must not stop it; it reads the settings itself, if at all
  /// Runs it. An error is printed by main() and becomes the exit code.
  base::Status (*run)(Session& session) = nullptr;
};

/// Sorted by `order`, then by name. Hidden ones included.
std::vector<const Command*> all_commands();
/// By name or alias; nullptr where there is none.
const Command* find_command(std::string_view name);

/// The options that `command` takes: its own, then the settings of its groups.
std::vector<const Option*> options_of(const Command& command);

}  // namespace ingle::cli
