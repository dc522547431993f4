// PATCH /app/conversations/{id}
#include "server/app/settings_fields.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  Reader reader(call.body);
  const auto changed = call.conversations->of(*id).update(*id, [&](assistant::Conversation& now) {
    read_settings(call.body, reader, now);
    if (const auto leaf = reader.integer("leaf")) now.leaf = leaf;
    return base::Status();
  });
  if (reader.error()) return call.fail(*reader.error());
  respond_with(call, changed);
}

constexpr Field kFields[] = {
    INGLE_CONVERSATION_FIELDS,
    {"leaf", integer(1, int64_t{1} << 53), "the message that ends the branch shown last"},
};

}  // namespace

extern const Route conversation_change_record;
const Route conversation_change_record{.method = "PATCH",
                                       .path = "/app/conversations/{id}",
                                       .scope = Scope::person,
                                       .summary = "change a conversation's title, folder, model or sampling",
                                       .parameter = "its number",
                                       .fields = kFields,
                                       .asks_model = false,
                                       .handle = handle};

}  // namespace ingle::server
