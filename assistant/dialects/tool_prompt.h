// Tools for models whose chat templates know none: the list of them, and the calls and results of the conversation so
// far, as text in the messages that the template does write. The model answers as its dialect reads.
#pragma once

#include "assistant/dialects/dialect.h"
#include "base/json.h"
#include "core/template/abilities.h"

namespace ingle::assistant {

/// A chat's messages ([{role, content, …}, …]) with everything in them as text that the template would leave out:
///   - tools (OpenAI's array, or null), by the dialect's tool_prompt: at the end of the system's message, or in one of
///     its own; where the template has no such, before the first user's text;
///   - an assistant's tool_calls, in the dialect's form, behind its content;
///   - the results that follow them, as a user's message, joined with the user's message after it, since templates
///     want the two roles to alternate.
/// Arguments become text where the template wants that. Messages that are no objects stay as they are. The text is
/// about as long as the tools themselves, which the caller bounds.
base::Json messages_with_tools(const Dialect& dialect, const core::TemplateAbilities& abilities,
                               const base::Json& messages, const base::Json& tools);

}  // namespace ingle::assistant
