// `ingle serve --daemon`: the same command again, in a session of its own, with a log; waits until it can answer.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// $XDG_STATE_HOME/ingle/serve.log
std::filesystem::path log_path(const Session& session);

/// Starts `ingle serve` with the session's arguments and flags, and `more` words, and tells where it is. One of an
/// older version is replaced. Errors: those of the server, as its log tells them; busy (one of this version runs
/// already), cancelled (Ctrl-C; it is ended then).
base::Status start_daemon(const Session& session, const std::vector<std::string>& more = {});

/// The words that run `command` with the session's arguments and those of its flags that it takes, but for `left_out`.
std::vector<std::string> words_again(const Session& session, std::string_view command, std::string_view left_out);

/// Whether version `a`, as "0.9.0", comes before `b`.
bool is_older(std::string_view a, std::string_view b);

}  // namespace ingle::cli
