// Finding commands and their options.
#include "cli/command.h"

#include <algorithm>

#include "cli/settings.h"

namespace ingle::cli {

std::span<const Command* const> command_records();  // generated from cli/commands/*.cpp

std::vector<const Command*> all_commands() {
  const auto records = command_records();
  std::vector<const Command*> commands(records.begin(), records.end());
  std::sort(commands.begin(), commands.end(), [](const Command* a, const Command* b) {
    return a->order != b->order ? a->order < b->order : a->name < b->name;
  });
  return commands;
}

const Command* find_command(std::string_view name) {
  for (const Command* command : command_records()) {
    if (command->name == name || (!command->alias.empty() && command->alias == name)) return command;
  }
  return nullptr;
}

std::vector<const Option*> options_of(const Command& command) {
  std::vector<const Option*> out;
  for (const Option& option : command.options) out.push_back(&option);
  for (const Option& option : all_settings()) {
    if ((command.groups & option.group) != 0) out.push_back(&option);
  }
  return out;
}

}  // namespace ingle::cli
