// Reading standard input.
#include "cli/input.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "base/utf8.h"
#include "cli/interrupt.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr size_t max_input_bytes = size_t{1} << 30;
constexpr int silence_ms = 1500;

/// Says that we wait, where otherwise a person would wonder why nothing happens.
void explain_wait(const Session& session, std::string_view what) {
  if (stdin_is_terminal()) {
    session.terminal.notice("ingle: type " + std::string(what) + ", then Ctrl-D on an empty line");
    return;
  }
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  if (poll(&waiting, 1, silence_ms) == 0) {
    session.terminal.notice("ingle: waiting for " + std::string(what) + " on standard input");
  }
}

}  // namespace

bool stdin_is_terminal() {
  return isatty(STDIN_FILENO) == 1;
}

bool stdin_is_piped() {
  struct stat info{};
  if (fstat(STDIN_FILENO, &info) != 0) return false;
  return S_ISFIFO(info.st_mode) || S_ISREG(info.st_mode) || S_ISSOCK(info.st_mode);
}

Result<std::string> read_stdin(const Session& session, std::string_view what) {
  explain_wait(session, what);
  std::string text;
  constexpr size_t chunk = size_t{1} << 16;
  while (true) {
    const size_t old_size = text.size();
    if (old_size >= max_input_bytes) {
      return Error{ErrorCode::limit_exceeded, "standard input is longer than 1 GiB; split it"};
    }
    text.resize(old_size + chunk);
    const ssize_t n = ::read(STDIN_FILENO, text.data() + old_size, chunk);
    const int code = errno;
    text.resize(old_size + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n == 0) return text;
    if (n < 0 && code == EINTR && !interrupted()) continue;
    if (n < 0 && code == EINTR) return Error{ErrorCode::cancelled, ""};
    if (n < 0) return base::errno_error(code, "read", "standard input");
  }
}

Status require_utf8(std::string_view text, std::string_view what) {
  const size_t at = base::find_invalid_utf8(text);
  if (at == text.size()) return {};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(text[at]);
  const std::string shown = std::string("0x") + digits[byte >> 4] + digits[byte & 15];
  return Error{ErrorCode::invalid_argument, std::string(what) + " is not valid UTF-8: byte " + shown + " at offset " +
                                                std::to_string(at) + "; convert it first, for example with iconv"};
}

}  // namespace ingle::cli
