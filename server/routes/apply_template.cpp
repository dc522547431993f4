// POST /apply-template: what a model reads of a chat.
#include "server/api/chat.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ChatSetup setup;
  setup.chat.messages = read_messages(reader, "messages");
  read_template_options(reader, setup.chat);
  read_tools(reader, setup);
  setup.chat.add_generation_prompt = reader.boolean("add_generation_prompt").value_or(true);
  if (reader.error()) return call.fail(*reader.error());
  assistant::GenerationRequest request;
  if (const auto error = prepare_chat(*model, setup, request)) return call.fail(*error);
  const auto prompt = model->detokenize(request.prompt, true);
  if (!prompt) return call.fail(api_error(prompt.error()));
  call.respond({{"prompt", *prompt}, {"tokens", request.prompt}});
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /v1/models; may be left out where there is one"},
    {"messages", kMessages, "as for /v1/chat/completions", Use::required},
    {"tools", kTools, "functions that the model may call"},
    {"tool_choice", kToolChoice, "none: the tools are left out"},
    {"parallel_tool_calls", kBoolean, "", Use::hint},
    {"reasoning_effort", one_of(kEfforts), "none and minimal: the model does not think first"},
    {"chat_template_kwargs", kObject, "variables of the chat template"},
    {"add_generation_prompt", kBoolean, "end where the answer starts"},
};

}  // namespace

extern const Route apply_template_record;
const Route apply_template_record{.method = "POST",
                                  .path = "/apply-template",
                                  .summary = "show the prompt that a chat becomes",
                                  .fields = kFields,
                                  .handle = handle};

}  // namespace ingle::server
