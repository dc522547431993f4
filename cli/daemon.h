// `ingle serve --daemon`: the same command again, in a session of its own, with a log; waits until it can answer.
#pragma once

#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// $XDG_STATE_HOME/ingle/serve.log
std::filesystem::path log_path(const Session& session);

/// Starts it, and tells where it is. One of an older version is replaced. Errors: those of the server, as its log tells
/// them; busy (one of this version runs already), cancelled (Ctrl-C; it is ended then).
base::Status start_daemon(const Session& session);

/// The words that run the session's command again, without the flag `left_out`.
std::vector<std::string> words_again(const Session& session, std::string_view left_out);

/// Whether version `a`, as "0.9.0", comes before `b`.
bool is_older(std::string_view a, std::string_view b);

}  // namespace ingle::cli
