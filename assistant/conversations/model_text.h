// What a model reads of a message.
#pragma once

#include <string>

#include "assistant/conversations/conversation_store.h"

namespace ingle::assistant {

/// The texts of the files that came with it, and what was said. Errors: those of reading an attachment.
base::Result<std::string> model_text(ConversationStore& store, const Message& message);

}  // namespace ingle::assistant
