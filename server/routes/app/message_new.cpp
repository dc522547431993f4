// POST /app/conversations/{id}/messages
#include "server/app/reply_job.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  Reader reader(call.body);
  assistant::ConversationStore::NewMessage message;
  message.conversation = *id;
  message.parent = reader.integer("parent");
  message.content = reader.text("content").value_or("");
  const bool answer = reader.boolean("answer").value_or(true);
  if (const base::Json* attachments = reader.array("attachments"))
    for (const base::Json& each : *attachments) {
      if (!each.is_number_integer())
        return call.fail({400, "'attachments' holds numbers of attachments", "attachments", {}, {}});
      message.attachments.push_back(each.get<int64_t>());
    }
  if (message.content.empty() && message.attachments.empty()) reader.fail("content", "the message is empty");
  if (reader.error()) return call.fail(*reader.error());
  const auto added = call.conversations->of(*id).add(message);
  if (!added) return call.fail(api_error(added.error()));
  // The message is kept, whatever comes of the reply.
  base::Json json = {{"message", to_json(*added)}, {"reply", nullptr}, {"error", nullptr}};
  if (answer) {
    const auto reply = begin_reply(call, *id, added->id);
    if (reply) {
      json["reply"] = to_json(*reply);
    } else {
      json["error"] = reply.error().message;
    }
  }
  call.respond(json);
}

constexpr int64_t kMostIds = int64_t{1} << 53;
constexpr Field kFields[] = {
    {"parent", integer(1, kMostIds), "the message before it; null: it begins the conversation, or a branch of its own"},
    {"content", kText, "what is said", Use::required},
    {"attachments", array(R"({"type": "integer"})", 0, 32), "files that were sent before"},
    {"answer", kBoolean, "whether the model replies; true where it is not given"},
};

}  // namespace

extern const Route message_new_record;
const Route message_new_record{.method = "POST",
                               .path = "/app/conversations/{id}/messages",
                               .scope = Scope::person,
                               .summary = "say something, and have the model reply",
                               .parameter = "the conversation's number",
                               .fields = kFields,
                               .asks_model = false,
                               .handle = handle};

}  // namespace ingle::server
