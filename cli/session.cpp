// From words to an exit code: parse, resolve the settings, run the command, report.
#include "cli/session.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/utf8.h"
#include "cli/errors.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/parse.h"
#include "cli/settings.h"
#include "cli/version.h"

namespace ingle::cli {

using base::Result;
using base::Status;

namespace {

bool color_wanted(const std::string& when, const Environment& environment, int descriptor) {
  if (when == "always") return true;
  if (when == "never") return false;
  // https://no-color.org: set and not empty.
  return environment.get("NO_COLOR").empty() && environment.get("TERM") != "dumb" && isatty(descriptor) == 1;
}

Terminal make_terminal(const Values& values, const Environment& environment) {
  Terminal::Options options;
  options.quiet = values.flag("quiet");
  options.color_out = color_wanted(values.text("color"), environment, STDOUT_FILENO);
  options.color_error = color_wanted(values.text("color"), environment, STDERR_FILENO);
  options.shown_out = isatty(STDOUT_FILENO) == 1;
  options.progress_bars = isatty(STDERR_FILENO) == 1 && environment.get("TERM") != "dumb";
  return Terminal(options);
}

/// JSON text with the control characters that JSON allows in strings as \uNNNN: the same value, harmless on a terminal.
std::string escape_json_controls(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const base::CodePoint point = base::decode_utf8(text);
    const size_t length = std::max<size_t>(point.length, 1);
    if (point.value >= 0x20 && base::is_control(point.value)) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += digits[point.value >> shift & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

Status apply_flags(Session& session) {
  for (const ParsedFlag& flag : session.flags) {
    INGLE_CHECK(session.values.set(*flag.option, flag.texts, Origin::flag, "--" + std::string(flag.option->name)));
  }
  return {};
}

Status run_line(Session& session, const ParsedLine& line) {
  if (line.version) return session.terminal.out("ingle " + std::string(version_text()) + "\n");
  if (line.command == nullptr) return session.terminal.out(general_help(session.terminal));
  if (line.help) return session.terminal.out(command_help(*line.command, session.terminal));
  session.command = line.command;
  session.arguments = line.arguments;
  session.flags = line.flags;
  session.values = Values(options_of(*line.command));
  INGLE_CHECK(line.command->tolerates_config ? apply_flags(session) : resolve_settings(session));
  session.terminal = make_terminal(session.values, session.environment);
  return line.command->run(session);
}

}  // namespace

Status resolve_settings(Session& session) {
  INGLE_CHECK(apply_config_file(session.values, session.paths.config_file));
  INGLE_CHECK(apply_environment(session.values, session.environment));
  return apply_flags(session);
}

Status Session::out_json(const base::Json& value) const {
  const bool shown = isatty(STDOUT_FILENO) == 1;
  const std::string text = value.dump(shown ? 2 : -1, ' ', false, base::Json::error_handler_t::replace) + "\n";
  return terminal.out(shown ? escape_json_controls(text) : text);
}

void Session::note_unused(std::initializer_list<std::string_view> names, std::string_view why) const {
  for (const std::string_view name : names) {
    const Value& value = values.at(name);
    if (value.origin != Origin::flag) continue;
    const bool negated = value.option->type == ValueType::toggle && !values.flag(name);
    terminal.notice("ingle: --" + std::string(negated ? "no-" : "") + std::string(name) + " has no effect " +
                    std::string(why));
  }
}

int run_main(const std::vector<std::string>& words, Environment environment) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe or socket is an error value; Terminal::out restores the custom
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that grows past a limit (ulimit -f)
  catch_interrupts();
  explain_bus_errors();
  Session session;
  session.environment = std::move(environment);
  session.paths = find_paths(session.environment);
  Terminal::Options plain;
  plain.color_out = color_wanted("auto", session.environment, STDOUT_FILENO);
  session.terminal = Terminal(plain);

  Result<ParsedLine> line = parse_line(words);
  Status status;
  if (line) {
    status = run_line(session, *line);
  } else {
    status = std::move(line).error();
  }
  if (status) return exit_ok;
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
  // A person who pressed Ctrl-C knows what happened.
  if (!status.error().message.empty()) session.terminal.error(error_line(status.error(), json));
  return exit_code(status.error().code);
}

}  // namespace ingle::cli
