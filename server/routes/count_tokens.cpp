// POST /v1/messages/count_tokens, as Anthropic's API has it.
#include "server/api/anthropic.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ChatSetup setup = read_anthropic_chat(reader);
  if (reader.error()) return call.fail(*reader.error());
  const auto prompt = model->chat_prompt(setup.chat);
  if (!prompt) return call.fail(api_error(prompt.error(), "messages"));
  call.respond({{"input_tokens", prompt->size()}});
}

constexpr Field kFields[] = {INGLE_ANTHROPIC_FIELDS};

}  // namespace

extern const Route count_tokens_record;
const Route count_tokens_record{.method = "POST",
                                .path = "/v1/messages/count_tokens",
                                .family = Family::anthropic,
                                .summary = "count a chat's tokens, in Anthropic's form",
                                .fields = kFields,
                                .handle = handle};

}  // namespace ingle::server
