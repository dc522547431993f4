// The interactive chat.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "cli/generation.h"
#include "cli/kept_chat.h"
#include "cli/session.h"

namespace ingle::cli {

/// Talks until Ctrl-D or /exit. On a terminal with line editing; otherwise each line of standard input is a message.
base::Status run_chat(Session& session, const LoadedModel& loaded, const KeptChat& kept);

/// --think, --no-think, or neither.
std::optional<bool> thinking_setting(const Session& session);

/// Why --think does nothing with this model, as in "--think has no effect …"; empty where it does something.
std::string_view why_no_thinking(const core::Engine& engine);

}  // namespace ingle::cli
