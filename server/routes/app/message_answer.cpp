// POST /app/messages/{id}/answer
#include "server/app/reply_job.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  const auto message = call.conversations->of(*id).message(*id);
  if (!message) return call.fail(api_error(message.error()));
  const auto reply = begin_reply(call, message->conversation, id);
  if (!reply) return call.fail(api_error(reply.error()));
  call.respond({{"reply", to_json(*reply)}});
}

}  // namespace

extern const Route message_answer_record;
const Route message_answer_record{.method = "POST",
                                  .path = "/app/messages/{id}/answer",
                                  .scope = Scope::person,
                                  .summary = "have the model reply to a message, once more",
                                  .parameter = "the message's number",
                                  .handle = handle};

}  // namespace ingle::server
