// Reading standard input.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

bool stdin_is_terminal();
/// Whether a pipe or a file stands behind standard input (not a terminal, not /dev/null).
bool stdin_is_piped();

/// Everything until the end, byte for byte. `what` is said on stderr where a person seems to be expected to type it, or
/// when a pipe stays silent. Errors: limit_exceeded, io_error, cancelled (Ctrl-C).
base::Result<std::string> read_stdin(const Session& session, std::string_view what);

/// Errors: invalid_argument with the offset of the first byte that is not UTF-8; `what` starts the message.
base::Status require_utf8(std::string_view text, std::string_view what);

}  // namespace ingle::cli
