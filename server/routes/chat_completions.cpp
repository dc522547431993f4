// POST /v1/chat/completions, as OpenAI's API has it.
#include <ctime>

#include "server/api/chat_answer.h"
#include "server/api/generation.h"
#include "server/api/openai.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

using assistant::Delta;

base::Json call_json(const std::string& id, const std::string& name, const std::string& arguments) {
  return {{"id", id.empty() ? new_id("call_") : id},
          {"type", "function"},
          {"function", {{"name", name}, {"arguments", arguments}}}};
}

class ChatFormat final : public ChatAnswer {
 public:
  ChatFormat(const assistant::ModelService& model, ChatSetup setup, OpenAiHead head, bool include_usage, bool logprobs)
      : ChatAnswer(model, std::move(setup)),
        head_(std::move(head)),
        include_usage_(include_usage),
        logprobs_(logprobs) {}

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
    for (const Choice& choice : choices) answer["choices"].push_back(choice_json(choice));
    answer["usage"] = usage_json(choices);
    add_report(answer, choices.front().stats);
    return answer;
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& event) override {
    std::string out;
    if (event.started) out += chunk(choice.index, {{"role", "assistant"}, {"content", ""}});
    for (const Delta& delta : deltas)
      if (const base::Json json = delta_json(delta); !json.is_null()) out += chunk(choice.index, json);
    if (logprobs_ && !event.tokens.empty())
      out += chunk(choice.index, base::Json::object(), chat_logprobs(event.tokens));
    if (event.finished)
      out += chunk(choice.index, base::Json::object(), nullptr, reason_of(*event.finished, has_called(choice)),
                   &choice.stats);
    return out;
  }

 private:
  base::Json choice_json(const Choice& choice) const {
    const assistant::Reply reply = reply_of(choice);
    base::Json message = {{"role", "assistant"}, {"content", reply.content}, {"refusal", nullptr}};
    if (!reply.reasoning.empty()) message["reasoning_content"] = reply.reasoning;
    for (const assistant::Call& call : reply.calls)
      message["tool_calls"].push_back(call_json(call.id, call.name, call.arguments));
    if (!reply.calls.empty() && reply.content.empty()) message["content"] = nullptr;
    return {{"index", choice.index},
            {"message", std::move(message)},
            {"logprobs", logprobs_ ? chat_logprobs(choice.tokens) : base::Json()},
            {"finish_reason", reason_of(*choice.finished, !reply.calls.empty())}};
  }
  static std::string_view reason_of(core::StopReason reason, bool called) {
    const std::string_view name = finish_reason(reason);
    return called && name == "stop" ? "tool_calls" : name;
  }
  static base::Json delta_json(const Delta& delta) {
    switch (delta.kind) {
      case Delta::Kind::content:
        return {{"content", delta.text}};
      case Delta::Kind::reasoning:
        return {{"reasoning_content", delta.text}};
      case Delta::Kind::call_begin: {
        base::Json call = call_json({}, delta.text, "");
        call["index"] = delta.call;
        return {{"tool_calls", base::Json::array({std::move(call)})}};
      }
      case Delta::Kind::call_arguments: {
        const base::Json call = {{"index", delta.call}, {"function", {{"arguments", delta.text}}}};
        return {{"tool_calls", base::Json::array({call})}};
      }
      default:
        return nullptr;
    }
  }
  std::string chunk(size_t index, const base::Json& delta, const base::Json& logprobs = nullptr,
                    const base::Json& reason = nullptr, const core::GenerationStats* stats = nullptr) const {
    base::Json json = head_.json("chat.completion.chunk");
    const base::Json choice = {{"index", index}, {"delta", delta}, {"logprobs", logprobs}, {"finish_reason", reason}};
    json["choices"] = base::Json::array({choice});
    if (include_usage_) json["usage"] = nullptr;
    if (stats != nullptr) add_report(json, *stats);
    return sse(json);
  }

  const OpenAiHead head_;
  const bool include_usage_, logprobs_;
};

void read_logprobs(Reader& reader, assistant::GenerationRequest& request) {
  const bool wanted = reader.boolean("logprobs").value_or(false);
  const auto likeliest = reader.integer("top_logprobs");
  if (likeliest && !wanted) reader.fail("top_logprobs", "'top_logprobs' needs \"logprobs\": true");
  if (wanted) request.logprobs = static_cast<int32_t>(likeliest.value_or(0));
}

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ChatJob job;
  job.request = read_generation(reader, *model, call);
  const StreamOptions stream = read_stream(reader);
  job.stream = stream.stream;
  job.choices = reader.integer("n").value_or(1);
  for (const char* name : {"max_tokens", "max_completion_tokens"})
    if (const auto most = reader.integer(name)) job.request.reply.max_tokens = static_cast<uint32_t>(*most);
  read_logprobs(reader, job.request);
  job.form = read_answer_form(reader);
  job.setup.chat.messages = read_messages(reader, "messages");
  job.setup.overflow = read_overflow(reader);
  read_template_options(reader, job.setup.chat);
  read_tools(reader, job.setup);
  if (reader.error()) return call.fail(*reader.error());
  const OpenAiHead head{new_id("chatcmpl-"), model->name(), static_cast<int64_t>(std::time(nullptr))};
  const bool logprobs = job.request.logprobs >= 0;
  answer_chat(call, *model, std::move(job), [model, head, stream, logprobs](ChatSetup setup) {
    return std::make_unique<ChatFormat>(*model, std::move(setup), head, stream.include_usage, logprobs);
  });
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /v1/models"},
    {"messages", kMessages, "the chat so far", Use::required},
    {"stream", kBoolean, "pieces as server-sent events"},
    {"stream_options", object_of(kStreamFields), "only with stream"},
    {"n", integer(1, kMostChoices), "answers to the same messages"},
    {"max_tokens", integer(1), "the longest answer"},
    {"max_completion_tokens", integer(1), "the same"},
    {"logit_bias", kLogitBias, "{token id: bias}"},
    {"logprobs", kBoolean, "log-probabilities of the answer's tokens"},
    {"top_logprobs", integer(0, kMostLikeliest), "… and of so many of the likeliest; only with logprobs"},
    {"response_format", object_of(kFormatFields), "text, json_object, or json_schema: the answer then has that form"},
    {"grammar", kText, "a grammar of the answer, in GBNF"},
    {"tools", kTools, "functions that the model may call"},
    {"tool_choice", kToolChoice, "none, auto, required, or a named function"},
    {"parallel_tool_calls", kBoolean, "whether it may call several at once"},
    {"reasoning_effort", one_of(kEfforts),
     "none and minimal: the model does not think first, where its template knows how"},
    {"chat_template_kwargs", kObject, "variables of the chat template"},
    INGLE_SAMPLING_FIELDS,
    INGLE_PENALTY_FIELDS,
    INGLE_OTHER_SAMPLING_FIELDS,
    {"user", "", Use::hint},
    {"safety_identifier", "", Use::hint},
    {"prompt_cache_key", "", Use::hint},
    {"prompt_cache_retention", "", Use::hint},
    {"metadata", "", Use::hint},
    {"store", "", Use::hint},
    {"service_tier", "", Use::hint},
    {"verbosity", "", Use::hint},
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
