// POST /app/messages/{id}/continue
#include "server/app/reply_job.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  assistant::ConversationStore& store = call.conversations->of(*id);
  const auto message = store.message(*id);
  if (!message) return call.fail(api_error(message.error()));
  if (message->content.empty())
    return call.fail({400, "this reply has nothing to go on from; have it written anew", "id", {}, {}});
  ReplyJob job{.conversation = {}, .parent = message->parent, .begun = message->content};
  auto conversation = store.find(message->conversation);
  if (!conversation) return call.fail(api_error(conversation.error()));
  job.conversation = *std::move(conversation);
  const auto model = model_of(call, job.conversation);
  if (!model) return call.fail(api_error(model.error()));
  const auto reply = store.continue_reply(*id, *model);
  if (!reply) return call.fail(api_error(reply.error()));
  write_reply(call, std::move(job), *model, *reply);
  const auto now = store.message(*id);
  if (!now) return call.fail(api_error(now.error()));
  call.respond({{"reply", to_json(*now)}});
}

}  // namespace

extern const Route message_continue_record;
const Route message_continue_record{.method = "POST",
                                    .path = "/app/messages/{id}/continue",
                                    .scope = Scope::person,
                                    .summary = "have the model go on with a reply",
                                    .parameter = "the reply's number",
                                    .handle = handle};

}  // namespace ingle::server
