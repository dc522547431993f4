// Help texts.
#include "cli/help.h"

#include <unistd.h>

#include <algorithm>

#include "cli/errors.h"
#include "cli/settings.h"
#include "cli/version.h"

namespace ingle::cli {
namespace {

constexpr size_t max_width = 100;

size_t help_width() {
  return std::min(Terminal::width(STDOUT_FILENO), max_width);
}

/// Two columns; the right one wraps, and starts on its own line where the left is too long.
std::string two_columns(std::string_view left, std::string_view right, size_t left_width) {
  std::string body = wrap(right, help_width(), left_width + 2);
  std::string out = "  " + std::string(left);
  const size_t used = display_width(left);
  if (used + 2 > left_width) return out + "\n" + body;
  out.append(left_width - used, ' ');
  return out + body.substr(std::min(body.size(), left_width + 2));
}

}  // namespace

std::string option_label(const Option& option) {
  std::string label = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
  label += option.type == ValueType::toggle ? "--[no-]" : "--";
  label += option.name;
  if (takes_value(option)) label += " " + std::string(option.metavar);
  return label;
}

std::string option_text(const Option& option) {
  std::string text(option.help);
  if (option.repeatable) text += "; may be repeated";
  if (!option.fallback_note.empty()) {
    text += " (default: " + std::string(option.fallback_note) + ")";
  } else if (!option.fallback.empty() && option.type != ValueType::toggle) {
    text += " (default: " + std::string(option.fallback) + ")";
  }
  return text;
}

std::string usage_line(const Command& command) {
  std::string line = "ingle " + std::string(command.name) + " [OPTION]...";
  for (const Argument& argument : command.arguments) {
    std::string name(argument.name);
    if (argument.repeatable) name += "...";
    line += argument.required ? " " + name : " [" + name + "]";
  }
  return line;
}

std::vector<OptionSection> option_sections(const Command& command) {
  std::vector<OptionSection> sections;
  if (!command.options.empty()) {
    OptionSection own{"Options", {}};
    for (const Option& option : command.options) own.options.push_back(&option);
    sections.push_back(std::move(own));
  }
  for (const Group group : all_groups()) {
    if ((command.groups & group) == 0) continue;
    OptionSection section{group_title(group), {}};
    for (const Option& option : all_settings()) {
      if (option.group == group) section.options.push_back(&option);
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

std::string_view precedence_text() {
  return "Every setting can be given in four places; the first that names it wins: the flag (--top-k 40), the "
         "environment (INGLE_TOP_K=40), the configuration file (top-k = 40), the default. 'ingle config' shows each "
         "effective value and where it came from.";
}

std::vector<ExitCodeText> exit_code_texts() {
  return {
      {exit_ok, "success"},
      {exit_failure, "failure that has no code of its own (input or output failed, or a defect of Ingle)"},
      {exit_usage,
       "wrong usage: an unknown option, a bad value, text that is not UTF-8, a template that does not parse"},
      {exit_not_found, "a model, file or name does not exist"},
      {exit_corrupt, "a file breaks its format, or its checksum is wrong"},
      {exit_unsupported, "a tensor type, architecture, tokenizer or version that Ingle does not have"},
      {exit_limit, "a limit was reached: a prompt longer than the context, a template that loops"},
      {exit_no_room, "out of memory, or no space left on the disk"},
      {exit_network, "the network failed, or --offline forbids it"},
      {exit_denied, "permission denied, or another process holds the lock"},
      {exit_interrupted, "stopped by Ctrl-C"},
  };
}

std::string general_help(const Terminal& terminal) {
  std::string out = terminal.styled_out(Style::bold, "Ingle " + std::string(version_text())) +
                    ": an AI assistant that runs on this computer.\n\n";
  out += terminal.styled_out(Style::bold, "Usage:") + " ingle COMMAND [OPTION]... [ARGUMENT]...\n\n";
  out += terminal.styled_out(Style::bold, "Commands:") + "\n";
  for (const Command* command : all_commands()) {
    if (!command->hidden) out += two_columns(command->name, command->summary, 12);
  }
  out += "\n" + terminal.styled_out(Style::bold, "Start with:") + "\n";
  out += two_columns("ingle run \"Why is the sky blue?\"", "fetches a model that fits this machine, and answers", 36);
  out += two_columns("ingle chat", "a conversation", 36);
  out += two_columns("ingle doctor", "what this machine can do", 36);
  out += "\n'ingle COMMAND --help' says more about a command, 'ingle man | man -l -' everything.\n";
  return out;
}

std::string command_help(const Command& command, const Terminal& terminal) {
  std::string summary(command.summary);
  if (!summary.empty()) summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  std::string out = wrap(summary + ".", help_width(), 0) + "\n";
  out += terminal.styled_out(Style::bold, "Usage:") + " " + usage_line(command) + "\n";
  if (!command.alias.empty())
    out += terminal.styled_out(Style::bold, "Alias:") + " " + std::string(command.alias) + "\n";
  if (!command.description.empty()) out += "\n" + wrap(command.description, help_width(), 0);
  if (!command.arguments.empty()) {
    out += "\n" + terminal.styled_out(Style::bold, "Arguments:") + "\n";
    for (const Argument& argument : command.arguments) out += two_columns(argument.name, argument.help, 30);
  }
  for (const OptionSection& section : option_sections(command)) {
    out += "\n" + terminal.styled_out(Style::bold, std::string(section.title) + ":") + "\n";
    for (const Option* option : section.options) out += two_columns(option_label(*option), option_text(*option), 30);
  }
  if (!command.examples.empty()) {
    out += "\n" + terminal.styled_out(Style::bold, "Examples:") + "\n";
    for (const Example& example : command.examples) {
      out += "  " + std::string(example.line) + "\n" + wrap(example.says, help_width(), 6);
    }
  }
  return out;
}

}  // namespace ingle::cli
