// ingle man: the manual page in roff (man(7)), made from the records of commands and settings.
#include "cli/errors.h"
#include "cli/help.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/version.h"

namespace ingle::cli {
namespace {

/// Text as roff shows it: backslashes and leading dots lose their meaning, hyphens can be copied from the page.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '"') {
      out += "\\(dq";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

std::string option_roff(const Option& option) {
  std::string label = ".TP\n";
  if (option.letter != 0) label += "\\fB\\-" + std::string(1, option.letter) + "\\fR, ";
  label += option.type == ValueType::toggle ? "\\fB\\-\\-\\fR[\\fBno\\-\\fR]\\fB" : "\\fB\\-\\-";
  label += roff(option.name) + "\\fR";
  if (takes_value(option)) label += " \\fI" + roff(option.metavar) + "\\fR";
  return label + "\n" + roff(option_text(option)) + ".\n";
}

std::string paragraphs(std::string_view text) {
  std::string out;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find("\n\n", start), text.size());
    if (start > 0) out += ".PP\n";
    out += roff(text.substr(start, end - start)) + "\n";
    start = end + 2;
  }
  return out;
}

std::string command_roff(const Command& command) {
  std::string out = ".SS \"" + roff(usage_line(command)) + "\"\n";
  std::string summary(command.summary);
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  out += roff(summary) + ".\n";
  if (!command.alias.empty()) out += "Alias: \\fB" + roff(command.alias) + "\\fR.\n";
  if (!command.description.empty()) out += ".PP\n" + paragraphs(command.description);
  for (const Argument& argument : command.arguments) {
    out += ".TP\n\\fI" + roff(argument.name) + "\\fR\n" + roff(argument.help) + ".\n";
  }
  for (const Option& option : command.options) out += option_roff(option);
  std::string groups;
  for (const Group group : all_groups()) {
    if ((command.groups & group) == 0) continue;
    groups += (groups.empty() ? "" : ", ") + std::string(group_title(group));
  }
  out += ".PP\nSettings: " + groups + ".\n";
  for (const Example& example : command.examples) {
    out += ".PP\n.nf\n.RS\n" + roff(example.line) + "\n.RE\n.fi\n" + roff(example.says) + "\n";
  }
  return out;
}

std::string settings_roff() {
  std::string out = ".SH SETTINGS\n" + roff(precedence_text()) + "\n";
  for (const Group group : all_groups()) {
    out += ".SS " + roff(group_title(group)) + "\n";
    for (const Option& option : all_settings()) {
      if (option.group == group) out += option_roff(option);
    }
  }
  return out;
}

std::string environment_roff() {
  return ".SH ENVIRONMENT\n"
         ".TP\n\\fBINGLE_\\fINAME\\fR\n"
         "The setting NAME in capitals, with _ for \\-: INGLE_TOP_K for top\\-k. A setting that may be repeated takes "
         "one "
         "value a line.\n"
         ".TP\n\\fBINGLE_CONFIG\\fR\nThe configuration file to read.\n"
         ".TP\n\\fBXDG_CONFIG_HOME\\fR, \\fBXDG_DATA_HOME\\fR, \\fBXDG_CACHE_HOME\\fR, \\fBXDG_STATE_HOME\\fR\n"
         "Where the folders below are.\n"
         ".TP\n\\fBHF_ENDPOINT\\fR, \\fBHF_TOKEN\\fR\nThe Hugging Face host to use, and the token to send to it.\n"
         ".TP\n\\fBPIP_INDEX_URL\\fR and pip's configuration\nWhere models that ship as Python packages come from.\n"
         ".TP\n\\fBhttp_proxy\\fR, \\fBhttps_proxy\\fR, \\fBall_proxy\\fR, \\fBno_proxy\\fR\nProxies for downloads.\n"
         ".TP\n\\fBNO_COLOR\\fR\nNo colours, where it is set and not empty.\n";
}

std::string page() {
  std::string out = ".TH INGLE 1 \"\" \"Ingle " + std::string(version_text()) + "\" \"User Commands\"\n";
  out += ".SH NAME\ningle \\- an AI assistant that runs on this computer\n";
  out += ".SH SYNOPSIS\n.B ingle\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n";
  out += ".SH DESCRIPTION\n" +
         paragraphs(
             "Ingle runs language models on the machine at hand: no account, no cloud. 'ingle run \"Why is the "
             "sky blue?\"' fetches a model that fits, once, and answers.\n\nResults go to standard output, "
             "notices, progress and errors to standard error. The first Ctrl-C stops what is running and lets it "
             "end in order, the second ends the program.");
  out += ".SH COMMANDS\n";
  for (const Command* command : all_commands()) {
    if (!command->hidden) out += command_roff(*command);
  }
  out += settings_roff();
  out += ".SH EXIT STATUS\n";
  for (const ExitCodeText& code : exit_code_texts()) {
    out += ".TP\n" + std::to_string(code.code) + "\n" + roff(code.meaning) + ".\n";
  }
  out += environment_roff();
  out +=
      ".SH FILES\n"
      ".TP\n\\fI\\(ti/.config/ingle/config.toml\\fR\nThe configuration: settings by name, in TOML. \\fBingle config "
      "example\\fR prints one to start from.\n"
      ".TP\n\\fI\\(ti/.local/share/ingle\\fR\nModels that were fetched.\n"
      ".TP\n\\fI\\(ti/.local/state/ingle\\fR\nThe history of chat input.\n"
      ".TP\n\\fI\\(ti/.cache/ingle\\fR\nWhat can be computed again.\n";
  return out;
}

base::Status run(Session& session) {
  return session.terminal.out(page());
}

constexpr Example examples[] = {{"ingle man | man -l -", "Shows the page."}};

}  // namespace

extern const Command man_record;
const Command man_record{
    .name = "man",
    .summary = "print the manual page",
    .examples = examples,
    .order = 91,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
