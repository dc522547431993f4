// Has a model write a reply into a conversation. It goes on when whoever asked for it has gone: the page may be
// reloaded.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "assistant/conversations/conversations.h"
#include "server/api/route.h"

namespace ingle::server {

/// Whose what is computed for conversations is: the server's user's, whichever page shows them.
std::string person_principal();

struct ReplyJob {
  assistant::Conversation conversation;
  std::optional<int64_t> parent;  ///< the message that is answered
  std::string begun;              ///< what the reply has already, and goes on from
};

/// The model that a conversation's replies come from, by its own name: the one that it names, or else the server's.
/// Errors: not_found.
base::Result<std::string> model_of(const Call& call, const assistant::Conversation& conversation);

/// Returns at once. What goes wrong becomes the reply's error.
void write_reply(const Call& call, ReplyJob job, const std::string& model,
                 const std::shared_ptr<assistant::LiveReply>& reply);

/// Begins a reply to `parent` by the conversation's model. Errors: those of model_of() and begin_reply().
base::Result<assistant::Message> begin_reply(Call& call, int64_t conversation, std::optional<int64_t> parent);

}  // namespace ingle::server
