// Exit codes and the one line that a failure prints. docs/errors.md explains them to people.
#pragma once

#include <string>

#include "base/result.h"

namespace ingle::cli {

enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,  ///< io_error, internal
  exit_usage = 2,    ///< invalid_argument
  exit_not_found = 3,
  exit_corrupt = 4,
  exit_unsupported = 5,
  exit_limit = 6,    ///< limit_exceeded: a prompt longer than the context, a template that loops
  exit_no_room = 7,  ///< out_of_memory, no_space
  exit_network = 8,  ///< network, offline
  exit_denied = 9,   ///< permission_denied, busy
  exit_interrupted = 130,
};

int exit_code(base::ErrorCode code);

/// "ingle: message" and a newline; with `json`, {"error":{"code":"…","message":"…","exit":N}} and a newline. Line
/// breaks and other ASCII control characters inside the message become spaces, so that it stays one line; further
/// characters that a terminal may obey are spelled \xNN.
std::string error_line(const base::Error& error, bool json);

}  // namespace ingle::cli
