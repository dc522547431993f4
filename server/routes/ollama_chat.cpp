// POST /api/chat, as Ollama's API has it.
#include "server/api/ollama.h"
#include "server/api/openai.h"

namespace ingle::server {
namespace {

using assistant::Delta;

class OllamaChatFormat final : public ChatAnswer {
 public:
  OllamaChatFormat(const assistant::ModelService& model, ChatSetup setup, bool logprobs)
      : ChatAnswer(model, std::move(setup)), logprobs_(logprobs) {}

  std::string stream_type() const override { return "application/x-ndjson"; }
  std::string ping() const override { return {}; }
  std::string end(const std::vector<Choice>&) override { return {}; }
  std::string failed(const ApiError& error) override { return to_text(error_json(Family::ollama, error)) + "\n"; }
  base::Json whole(const std::vector<Choice>& choices) override {
    const Choice& choice = choices.front();
    const assistant::Reply reply = reply_of(choice);
    base::Json message = {{"role", "assistant"}, {"content", reply.content}};
    if (!reply.reasoning.empty()) message["thinking"] = reply.reasoning;
    for (const assistant::Call& call : reply.calls)
      message["tool_calls"].push_back(call_json(call.name, call.arguments));
    base::Json json = head();
    json["message"] = std::move(message);
    if (logprobs_) json["logprobs"] = chat_logprobs(model_, choice.tokens)["content"];
    json.update(ollama_end(model_, choice, began_));
    return json;
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& event) override {
    std::string out;
    for (const Delta& delta : deltas) {
      if (delta.kind == Delta::Kind::content) out += line({{"content", delta.text}});
      if (delta.kind == Delta::Kind::reasoning) out += line({{"content", ""}, {"thinking", delta.text}});
      // A call is one piece here, so it is told when it is whole.
      if (delta.kind == Delta::Kind::call_begin) call_ = {delta.text, ""};
      if (delta.kind == Delta::Kind::call_arguments) call_.second += delta.text;
      if (delta.kind == Delta::Kind::call_end)
        out += line({{"content", ""}, {"tool_calls", base::Json::array({call_json(call_.first, call_.second)})}});
    }
    if (logprobs_ && !event.tokens.empty()) {
      base::Json json = head();
      json["message"] = {{"role", "assistant"}, {"content", ""}};
      json["logprobs"] = chat_logprobs(model_, event.tokens)["content"];
      json["done"] = false;
      out += to_text(json) + "\n";
    }
    if (event.finished) {
      base::Json json = head();
      json["message"] = {{"role", "assistant"}, {"content", ""}};
      json.update(ollama_end(model_, choice, began_));
      out += to_text(json) + "\n";
    }
    return out;
  }

 private:
  base::Json head() const { return {{"model", model_.name()}, {"created_at", iso_time()}}; }
  static base::Json call_json(const std::string& name, const std::string& arguments) {
    const auto parsed = base::parse_json(arguments);
    return {{"function", {{"name", name}, {"arguments", parsed ? *parsed : base::Json::object()}}}};
  }
  std::string line(const base::Json& message) const {
    base::Json json = head();
    json["message"] = {{"role", "assistant"}};
    json["message"].update(message);
    json["done"] = false;
    return to_text(json) + "\n";
  }

  const bool logprobs_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::pair<std::string, std::string> call_;  ///< the one that is being written: name and arguments
};

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  core::GenerationRequest request = read_ollama_options(reader, *model, call);
  const bool stream = reader.boolean("stream").value_or(true);
  ChatSetup setup;
  setup.chat.messages = read_messages(reader, "messages");
  read_think(reader, setup.chat);
  read_tools(reader, setup);
  const AnswerForm form = read_format(reader);
  if (reader.error()) return call.fail(*reader.error());
  if (const auto error = prepare_chat(*model, setup, request, form)) return call.fail(*error);
  const bool logprobs = request.logprobs >= 0;
  answer(call, *model, {std::move(request)}, std::make_unique<OllamaChatFormat>(*model, std::move(setup), logprobs),
         stream);
}

constexpr Field kFields[] = {
    INGLE_OLLAMA_FIELDS,
    {"messages", "[{role, content}]"},
    {"tools", "functions that the model may call"},
};

}  // namespace

extern const Route ollama_chat_record;
const Route ollama_chat_record{.method = "POST",
                               .path = "/api/chat",
                               .family = Family::ollama,
                               .summary = "answer a chat, in Ollama's form",
                               .fields = kFields,
                               .handle = handle};

}  // namespace ingle::server
