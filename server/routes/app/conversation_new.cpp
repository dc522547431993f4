// POST /app/conversations
#include "server/app/settings_fields.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ConversationSettings settings;
  read_settings(call.body, reader, settings);
  const bool temporary = reader.boolean("temporary").value_or(false);
  if (reader.error()) return call.fail(*reader.error());
  auto& store = temporary ? call.conversations->temporary() : call.conversations->kept();
  respond_with(call, store.create(settings));
}

constexpr Field kFields[] = {
    INGLE_CONVERSATION_FIELDS,
    {"temporary", kBoolean, "in memory only, until it is deleted or the server ends"},
};

}  // namespace

extern const Route conversation_new_record;
const Route conversation_new_record{.method = "POST",
                                    .path = "/app/conversations",
                                    .scope = Scope::person,
                                    .summary = "begin a conversation",
                                    .fields = kFields,
                                    .asks_model = false,
                                    .handle = handle};

}  // namespace ingle::server
