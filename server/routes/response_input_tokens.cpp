// POST /v1/responses/input_tokens: what a conversation's prompt takes.
#include "server/api/response_request.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  const ResponseRequest request = read_response_request(reader, *model, call);
  if (reader.error()) return call.fail(*reader.error());
  const auto prompt = model->chat_prompt(request.job.setup.chat);
  if (!prompt) return call.fail(api_error(prompt.error(), "input"));
  call.respond({{"object", "response.input_tokens"}, {"input_tokens", prompt->size()}});
}

constexpr Field kFields[] = {
    INGLE_RESPONSE_INPUT_FIELDS,
    {"personality", "models have none to choose here", Use::refused},
};

}  // namespace

extern const Route response_input_tokens_record;
const Route response_input_tokens_record{.method = "POST",
                                         .path = "/v1/responses/input_tokens",
                                         .summary = "count a conversation's tokens",
                                         .fields = kFields,
                                         .handle = handle};

}  // namespace ingle::server
