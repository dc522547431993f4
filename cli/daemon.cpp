#include "cli/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/files.h"
#include "cli/errors.h"
#include "cli/interrupt.h"
#include "cli/notify.h"
#include "cli/running.h"
#include "cli/version.h"

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::Result;
using base::Status;

constexpr off_t kMaxLogBytes = 1 << 20;
constexpr const char* own_program = "/proc/self/exe";

/// A log that has grown large makes way for a new one; one old one is kept.
Result<FileDescriptor> open_log(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && info.st_size > kMaxLogBytes) fs::rename(path, path.string() + ".1", failed);
  FileDescriptor log(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (log.get() < 0) return base::errno_error(errno, "write", path);
  return log;
}

/// The last line that the program itself wrote after `from`.
std::string last_words(const FileDescriptor& log, off_t from) {
  char text[8192];
  const off_t end = ::lseek(log.get(), 0, SEEK_END);
  const off_t start = std::max(from, end - static_cast<off_t>(sizeof text));
  const ssize_t bytes = ::pread(log.get(), text, sizeof text, start);
  std::string_view rest(text, bytes > 0 ? static_cast<size_t>(bytes) : 0);
  std::string found;
  while (!rest.empty()) {
    const size_t line_end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, line_end);
    if (line.starts_with("ingle: ")) found = line.substr(7);
    rest.remove_prefix(std::min(line_end + 1, rest.size()));
  }
  return found;
}

Result<pid_t> spawn(const std::vector<std::string>& words, const FileDescriptor& log,
                    std::vector<std::string> settings) {
  std::vector<char*> argv, variables;
  std::vector<std::string> all = {"ingle"};
  all.insert(all.end(), words.begin(), words.end());
  for (std::string& word : all) argv.push_back(word.data());
  for (std::string& setting : settings) variables.push_back(setting.data());
  argv.push_back(nullptr);
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  const int failure = posix_spawn(&child, own_program, &actions, &attributes, argv.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return base::errno_error(failure, "start", own_program);
  return child;
}

/// The code whose exit status this is.
ErrorCode code_of(int status) {
  constexpr std::array codes = {
      ErrorCode::invalid_argument, ErrorCode::not_found,     ErrorCode::corrupt, ErrorCode::unsupported,
      ErrorCode::limit_exceeded,   ErrorCode::out_of_memory, ErrorCode::network, ErrorCode::busy};
  for (const ErrorCode code : codes)
    if (WIFEXITED(status) && exit_code(code) == WEXITSTATUS(status)) return code;
  return ErrorCode::internal;
}

/// "STATUS=…" of a message.
std::string status_of(std::string_view message) {
  const size_t at = message.find("STATUS=");
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + 7);
  return std::string(message.substr(0, message.find('\n')));
}

/// What the server says about itself once it can answer. Errors: what it died of, cancelled.
Result<std::string> wait_until_ready(pid_t child, NotifySocket& news, const FileDescriptor& log, off_t from) {
  const FileDescriptor life = open_process(child);
  while (true) {
    pollfd events[] = {{news.descriptor(), POLLIN, 0}, {life.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(events, 3, life.get() < 0 ? 100 : -1);
    while (const auto message = news.receive(child))
      if (message->starts_with("READY=1")) return status_of(*message);
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) {
      const std::string why = last_words(log, from);
      return Error{code_of(status), why.empty() ? "the server ended before it could answer" : why};
    }
    if (interrupted()) {
      ::kill(child, SIGTERM);
      ::waitpid(child, &status, 0);
      return Error{ErrorCode::cancelled, ""};
    }
  }
}

}  // namespace

fs::path log_path(const Session& session) {
  return session.paths.state / "serve.log";
}

std::vector<std::string> words_again(const Session& session, std::string_view command, std::string_view left_out) {
  std::vector<std::string> words = {std::string(command)};
  const std::vector<const Option*> taken = options_of(*find_command(command));
  for (const ParsedFlag& flag : session.flags) {
    if (flag.option->name == left_out || std::ranges::find(taken, flag.option->name, &Option::name) == taken.end())
      continue;
    const std::string name(flag.option->name);
    for (const std::string& text : flag.texts) {
      if (takes_value(*flag.option)) {
        words.push_back("--" + name + "=" + text);
      } else if (text == "true") {
        words.push_back("--" + name);
      } else if (flag.option->type == ValueType::toggle) {
        words.push_back("--no-" + name);
      }
    }
  }
  words.emplace_back("--");
  words.insert(words.end(), session.arguments.begin(), session.arguments.end());
  return words;
}

bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const auto number = [](std::string_view& text) {
      const std::string_view part = text.substr(0, text.find('.'));
      uint32_t value = 0;
      std::from_chars(part.data(), part.data() + part.size(), value);
      text.remove_prefix(std::min(part.size() + 1, text.size()));
      return value;
    };
    const uint32_t of_a = number(a), of_b = number(b);
    if (of_a != of_b) return of_a < of_b;
  }
  return false;
}

Status start_daemon(const Session& session, const std::vector<std::string>& more) {
  std::vector<std::string> words = words_again(session, "serve", "daemon");
  words.insert(words.begin() + 1, more.begin(), more.end());
  const auto port = static_cast<uint16_t>(session.values.integer("port"));
  INGLE_TRY(const auto running, running_server(servers_folder(session), port));
  const bool replaces = session.values.has("replace") && session.values.flag("replace");
  if (running && !replaces && is_older(running->version, version_text())) {
    session.terminal.notice("ingle: replacing version " + running->version + " (pid " + std::to_string(running->pid) +
                            ")");
    words.insert(words.begin() + 1, "--replace");
  }
  const fs::path path = log_path(session);
  INGLE_TRY(const FileDescriptor log, open_log(path));
  const off_t from = ::lseek(log.get(), 0, SEEK_END);
  INGLE_TRY(NotifySocket news, NotifySocket::open());
  std::vector<std::string> variables = session.environment.strings();
  std::erase_if(variables, [](const std::string& text) { return text.starts_with("NOTIFY_SOCKET="); });
  variables.push_back("NOTIFY_SOCKET=" + news.name());
  INGLE_TRY(const pid_t child, spawn(words, log, std::move(variables)));
  INGLE_TRY(const std::string status, wait_until_ready(child, news, log, from));
  session.terminal.notice("ingle: " + status + "; pid " + std::to_string(child) + ", log " + path.string() +
                          "; 'ingle stop' ends it");
  return {};
}

}  // namespace ingle::cli
