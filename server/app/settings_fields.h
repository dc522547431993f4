// What a person decides of a conversation, as bodies have it.
#pragma once

#include "server/app/routes.h"

namespace ingle::server {

#define INGLE_CONVERSATION_FIELDS                                                                           \
  {"title", kText, "empty: the first words"}, {"folder", integer(1), "null: in none"},                      \
      {"pinned", kBoolean, "stays whatever its age"}, {"model", kText, "that replies; null: the server's"}, \
      {"system", kText, "what the model is told first"},                                                    \
      {"parameters", object_of(kParameterFields), "of sampling; what is left out is the model's own"}

/// Changes what the body names.
void read_settings(const base::Json& body, Reader& reader, assistant::ConversationSettings& settings);

}  // namespace ingle::server
