// Where a chat is kept, and which earlier one it goes on with: --temporary, --continue, --conversation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assistant/conversations/conversation_store.h"
#include "base/json.h"
#include "cli/conversation.h"
#include "cli/generation.h"
#include "cli/session.h"

namespace ingle::cli {

struct KeptChat {
  std::unique_ptr<assistant::ConversationStore> store;  ///< null: nothing is kept
  std::optional<assistant::Conversation> resumed;       ///< the one to go on with
  std::string model;                                    ///< that wrote its last reply, or is to; may be empty
};

/// As the options say, of a command that may lack those that continue. Where the database can't be opened, a notice
/// tells that nothing is kept. Errors: not_found (what is to be continued), invalid_argument (with --temporary); those
/// of opening the database where a conversation is to be continued.
base::Result<KeptChat> open_kept_chat(const Session& session);

/// The model of a chat: what somebody names, or else the conversation's where it is here, or else the default.
base::Result<std::string> chat_model(const Session& session, const KeptChat& kept);

/// Which tells reasoning from the answer; null where the model has no chat template, and writes one text.
const assistant::Dialect* dialect_of(const core::Engine& engine);
/// Its marks around reasoning that would not be shown, sorted: for core::ReplyOptions::shown.
std::vector<core::TokenId> hidden_reasoning_marks(const core::Engine& engine);

/// Has what is said kept. Errors: those of reading the conversation that goes on.
base::Status begin_keeping(const Session& session, const LoadedModel& loaded, const KeptChat& kept,
                           Conversation& conversation);

/// The last messages of a conversation ([{role, content}]), for a person who comes back to it.
std::string last_messages(const base::Json& messages);

}  // namespace ingle::cli
