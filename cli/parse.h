// The command line: which command, which flags, which arguments.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace ingle::cli {

struct ParsedFlag {
  const Option* option = nullptr;
  std::vector<std::string> texts;  ///< "true" or "false" for a flag
};

struct ParsedLine {
  const Command* command = nullptr;  ///< nullptr: none was named
  std::vector<ParsedFlag> flags;
  std::vector<std::string> arguments;
  bool help = false;
  bool version = false;  ///< --version, which needs no command
};

/// Splits `words` (argv without the program's name). Everything after "--" is an argument. Options may stand before or
/// after the command. Errors: invalid_argument (unknown command or option with the nearest one; a value is missing; too
/// many or too few arguments).
base::Result<ParsedLine> parse_line(std::span<const std::string> words);

}  // namespace ingle::cli
