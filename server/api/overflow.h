// What a chat's prompt takes of the context, and what is done where that is too much: an error with both numbers, or
// the policy that the request asks for, of which every answer tells.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/api/chat.h"
#include "server/api/route.h"

namespace ingle::server {

/// `ingle.overflow`, or else `otherwise`.
Overflow read_overflow(Reader& reader, Overflow otherwise = Overflow::error);
/// Of a prompt, which has no turns that could go.
void refuse_overflow(Reader& reader);

/// Builds the prompt of a chat. With a policy, turns go until there is room for the answer: for max_tokens, but at most
/// half of the context, or a quarter of it (256 tokens at most) where none is given. Without room for that, all that
/// may go goes, and the answer ends with the context. With Overflow::summarise the summary is yet to be written, and
/// room is kept for it (summarise()). Returns what is wrong.
std::optional<ApiError> fit_chat(assistant::ModelService& model, ChatSetup& setup,
                                 assistant::GenerationRequest& request);

/// Whether a summary is yet to be written.
bool needs_summary(const ChatSetup& setup);

/// A chat that waits for the summary of what was dropped from it.
struct Unsummarised {
  ChatSetup setup;
  assistant::GenerationRequest request;
};
/// Lets the model write the summary, puts it before the first message that stays and builds the prompt again; then
/// `then` has them, on another thread. Fails the call where that cannot be done; if the reader goes, nothing
/// follows.
void summarise(Call& call, assistant::ModelService& model, Unsummarised chat,
               std::function<void(Call&, Unsummarised)> then);

/// For the answer's header x-ingle-dropped.
std::string dropped_header(const Dropped& dropped);
/// For the answer's field `ingle`.
base::Json dropped_json(const Dropped& dropped);

}  // namespace ingle::server
