// POST /v1/chat/completions, as OpenAI's API has it.
#include <ctime>

#include "server/api/chat.h"
#include "server/api/generation.h"
#include "server/api/openai.h"

namespace ingle::server {
namespace {

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(const assistant::ModelService& model, OpenAiHead head, bool include_usage, bool logprobs)
      : model_(model), head_(std::move(head)), include_usage_(include_usage), logprobs_(logprobs) {}

  std::string piece(const Choice& choice, const core::GenerationEvent& event) override {
    std::string out;
    if (event.started) out += chunk(choice.index, {{"role", "assistant"}, {"content", ""}}, {}, nullptr);
    base::Json logprobs;
    if (logprobs_ && !event.tokens.empty()) logprobs = chat_logprobs(model_, event.tokens);
    if (!event.text.empty() || !logprobs.is_null())
      out += chunk(choice.index, {{"content", event.text}}, logprobs, nullptr);
    if (event.finished)
      out += chunk(choice.index, base::Json::object(), {}, finish_reason(*event.finished), &choice.stats);
    return out;
  }
  std::string end(const std::vector<Choice>& choices) override {
    std::string out;
    if (include_usage_) {
      base::Json last = head_.json("chat.completion.chunk");
      last["choices"] = base::Json::array();
      last["usage"] = usage_json(choices);
      out += sse(last);
    }
    return out + "data: [DONE]\n\n";
  }
  std::string failed(const ApiError& error) override { return sse(error_json(Family::openai, error)); }
  base::Json whole(const std::vector<Choice>& choices) override {
    base::Json answer = head_.json("chat.completion");
    answer["choices"] = base::Json::array();
    for (const Choice& choice : choices) {
      base::Json entry = {{"index", choice.index},
                          {"message", {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}}},
                          {"logprobs", logprobs_ ? chat_logprobs(model_, choice.tokens) : base::Json()},
                          {"finish_reason", finish_reason(*choice.finished)}};
      answer["choices"].push_back(std::move(entry));
    }
    answer["usage"] = usage_json(choices);
    answer["timings"] = timings_json(model_, choices.front().stats);
    return answer;
  }

 private:
  std::string chunk(size_t index, const base::Json& delta, const base::Json& logprobs, const base::Json& reason,
                    const core::GenerationStats* stats = nullptr) const {
    base::Json json = head_.json("chat.completion.chunk");
    json["choices"] = {{{"index", index}, {"delta", delta}, {"logprobs", logprobs}, {"finish_reason", reason}}};
    if (include_usage_) json["usage"] = nullptr;
    if (stats != nullptr) json["timings"] = timings_json(model_, *stats);
    return sse(json);
  }

  const assistant::ModelService& model_;
  const OpenAiHead head_;
  const bool include_usage_, logprobs_;
};

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  core::GenerationRequest request = read_generation(reader, *model, call);
  const StreamOptions stream = read_stream(reader);
  const int64_t choices = reader.integer("n", 1, kMostChoices).value_or(1);
  for (const char* name : {"max_tokens", "max_completion_tokens"})
    if (const auto most = reader.integer(name, 1, INT32_MAX)) request.reply.max_tokens = static_cast<uint32_t>(*most);
  const bool logprobs = reader.boolean("logprobs").value_or(false);
  const auto likeliest = reader.integer("top_logprobs", 0, kMostLikeliest);
  if (likeliest && !logprobs) reader.fail("top_logprobs", "'top_logprobs' needs \"logprobs\": true");
  if (logprobs) request.logprobs = static_cast<int32_t>(likeliest.value_or(0));
  core::ChatRequest chat;
  chat.messages = read_messages(reader, "messages");
  read_template_options(reader, chat);
  if (const base::Json* format = reader.object("response_format"))
    if (format->value("type", base::Json()) != "text")
      reader.fail("response_format", "'response_format' can only be of type text yet", "unsupported_field");
  if (reader.error()) return call.fail(*reader.error());
  if (const auto error = build_prompt(*model, chat, request.prompt)) return call.fail(*error);
  OpenAiHead head{new_id("chatcmpl-"), model->name(), static_cast<int64_t>(std::time(nullptr))};
  answer(call, *model, copies(request, choices),
         std::make_unique<ChatFormat>(*model, std::move(head), stream.include_usage, logprobs), stream.stream);
}

constexpr Field kFields[] = {
    {"model", "a name of GET /v1/models"},
    {"messages", "[{role, content}], texts or text parts"},
    {"stream", "pieces as server-sent events"},
    {"stream_options", "{include_usage}"},
    {"n", "answers to the same messages"},
    {"max_tokens", "the longest answer"},
    {"max_completion_tokens", "the same"},
    {"temperature", ""},
    {"top_p", ""},
    {"frequency_penalty", ""},
    {"presence_penalty", ""},
    {"logit_bias", "{token id: bias}"},
    {"logprobs", ""},
    {"top_logprobs", ""},
    {"seed", "the same seed and text give the same answer"},
    {"stop", "up to 16 texts that end an answer"},
    {"response_format", "{type: \"text\"}"},
    {"reasoning_effort", "none and minimal: the model does not think first, where its template knows how"},
    {"chat_template_kwargs", "variables of the chat template"},
    INGLE_SAMPLING_FIELDS,
    {"user", "", Use::hint},
    {"safety_identifier", "", Use::hint},
    {"prompt_cache_key", "", Use::hint},
    {"prompt_cache_retention", "", Use::hint},
    {"metadata", "", Use::hint},
    {"store", "", Use::hint},
    {"service_tier", "", Use::hint},
    {"verbosity", "", Use::hint},
    {"tools", "models can't call tools here yet", Use::refused},
    {"tool_choice", "models can't call tools here yet", Use::refused},
    {"parallel_tool_calls", "models can't call tools here yet", Use::refused},
    {"functions", "use tools", Use::refused},
    {"function_call", "use tool_choice", Use::refused},
    {"modalities", "models write text here", Use::refused},
    {"audio", "there is no audio here", Use::refused},
    {"prediction", "proposed texts are not taken", Use::refused},
    {"web_search_options", "nothing here searches the web", Use::refused},
};

}  // namespace

extern const Route chat_completions_record;
const Route chat_completions_record{
    .method = "POST", .path = "/v1/chat/completions", .summary = "answer a chat", .fields = kFields, .handle = handle};

}  // namespace ingle::server
