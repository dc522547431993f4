#include "cli/unknown_template.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"
#include "base/utf8.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "store/known_templates.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

std::string show_command(const std::string& model) {
  return "ingle show " + base::escape_controls(model) + " --template";
}

bool is_known(const Session& session, std::string_view text) {
  return text.empty() || !store::publisher_of_template(text).empty() || accepted_templates(session).has(text);
}

/// The text as far as a person would read it here: a file may hold megabytes.
std::string excerpt(std::string_view text, const std::string& model) {
  constexpr size_t kLines = 200, kColumns = 2000;
  std::string out;
  size_t lines = 0, cut = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++lines > kLines) continue;
    if (line.size() > kColumns) {
      ++cut;
      line = line.substr(0, base::complete_utf8_prefix(line.substr(0, kColumns)));
    }
    out += "  " + base::escape_controls(line, "\t") + (line.size() < end ? " …" : "") + "\n";
  }
  if (lines > kLines) out += "  … and " + std::to_string(lines - kLines) + " lines more\n";
  if (lines > kLines || cut > 0) out += "All of it: " + show_command(model) + "\n";
  return out;
}

/// A line from the terminal; empty at its end or on Ctrl-C.
std::string read_answer() {
  std::string line;
  char c = 0;
  while (!interrupted()) {
    // A Ctrl-C between the question above and a read would leave the read waiting.
    pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    if (waiting[0].revents == 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n') break;
    if (line.size() < 16) line += c;
  }
  return line;
}

bool is_yes(std::string answer) {
  std::ranges::transform(answer, answer.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return answer == "y" || answer == "yes";
}

void accept(const Session& session, std::string_view text) {
  if (const Status kept = accepted_templates(session).add(text); !kept)
    session.terminal.notice("ingle: that the chat template is accepted can't be kept: " + kept.error().message);
}

}  // namespace

std::filesystem::path AcceptedTemplates::path_of(std::string_view text) const {
  return folder_ / (store::template_hash(text) + ".jinja");
}

bool AcceptedTemplates::has(std::string_view text) const {
  std::error_code failure;
  return std::filesystem::is_regular_file(path_of(text), failure);
}

Status AcceptedTemplates::add(std::string_view text) const {
  std::error_code failure;
  std::filesystem::create_directories(folder_.parent_path(), failure);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return base::errno_error(errno, "make", folder_);
  return base::write_file_atomic(path_of(text), text, base::Readers::owner);
}

AcceptedTemplates accepted_templates(const Session& session) {
  return AcceptedTemplates(session.paths.data / "templates");
}

void report_template(const Session& session, const std::string& model, std::string_view text) {
  if (is_known(session, text)) return;
  session.terminal.notice("ingle: the chat template of " + base::escape_controls(model) +
                          " is none of the published ones that Ingle knows, and decides what the model reads; '" +
                          show_command(model) + "' prints it");
}

Status check_template(const Session& session, const std::string& model, std::string_view text) {
  if (is_known(session, text)) return {};
  if (session.values.flag("accept-template")) {
    accept(session, text);
    return {};
  }
  if (!stdin_is_terminal() || isatty(STDERR_FILENO) != 1) {
    report_template(session, model, text);
    return {};
  }
  const Terminal& terminal = session.terminal;
  terminal.error("The chat template of " + terminal.styled_error(Style::bold, base::escape_controls(model)) +
                 " is none of the published ones that Ingle knows. It turns what you\nwrite into what the model reads, "
                 "and could change it:\n\n" +
                 excerpt(text, model) + "\nUse it? [y/N] ");
  const bool yes = is_yes(read_answer());
  if (interrupted()) return Error{ErrorCode::cancelled, ""};
  if (!yes) {
    terminal.error("\n");
    return Error{ErrorCode::permission_denied, "the chat template was not accepted; 'ingle run " +
                                                   base::escape_controls(model) + " --raw' does without"};
  }
  terminal.error("\n");
  accept(session, text);
  return {};
}

}  // namespace ingle::cli
