// Help texts, made from the records of commands and settings.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"

namespace ingle::cli {

/// What `ingle` and `ingle --help` print.
std::string general_help(const Terminal& terminal);
/// What `ingle NAME --help` prints.
std::string command_help(const Command& command, const Terminal& terminal);

/// "-n, --max-tokens N", "--[no-]quiet"
std::string option_label(const Option& option);
/// The help line with its default: "most tokens to write (default: 0)"
std::string option_text(const Option& option);
/// "ingle run [OPTION]... [MODEL] [PROMPT]..."
std::string usage_line(const Command& command);

struct OptionSection {
  std::string_view title;
  std::vector<const Option*> options;
};
/// The command's own options first, then its settings by group.
std::vector<OptionSection> option_sections(const Command& command);

/// What --help and the man page say about where settings come from.
std::string_view precedence_text();

struct ExitCodeText {
  int code;
  std::string_view meaning;
};
std::vector<ExitCodeText> exit_code_texts();

}  // namespace ingle::cli
