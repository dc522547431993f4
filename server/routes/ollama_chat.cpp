// POST /api/chat, as Ollama's API has it.
#include "server/api/ollama.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

using assistant::Delta;

class OllamaChatFormat final : public OllamaAnswer {
 public:
  using OllamaAnswer::OllamaAnswer;

  base::Json whole(const std::vector<Choice>& choices) override {
    const Choice& choice = choices.front();
    const assistant::Reply reply = reply_of(choice);
    base::Json json = with_message({{"content", reply.content}});
    base::Json& message = json["message"];
    if (!reply.reasoning.empty()) message["thinking"] = reply.reasoning;
    for (const assistant::Call& call : reply.calls)
      message["tool_calls"].push_back(call_json(call.name, call.arguments));
    add_logprobs(json, choice.tokens);
    add_end(json, choice);
    return json;
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& event) override {
    std::string out;
    for (const Delta& delta : deltas) {
      if (delta.kind == Delta::Kind::content) out += line(with_message({{"content", delta.text}}));
      if (delta.kind == Delta::Kind::reasoning) out += line(with_message({{"content", ""}, {"thinking", delta.text}}));
      // A call is one piece here, so it is told when it is whole.
      if (delta.kind == Delta::Kind::call_begin) call_ = {delta.text, ""};
      if (delta.kind == Delta::Kind::call_arguments) call_.second += delta.text;
      if (delta.kind == Delta::Kind::call_end)
        out += line(
            with_message({{"content", ""}, {"tool_calls", base::Json::array({call_json(call_.first, call_.second)})}}));
    }
    return out + last_lines(with_message({{"content", ""}}), choice, event);
  }

 private:
  base::Json with_message(const base::Json& members) const {
    base::Json json = head();
    json["message"] = {{"role", "assistant"}};
    json["message"].update(members);
    return json;
  }
  static base::Json call_json(const std::string& name, const std::string& arguments) {
    const auto parsed = base::parse_json(arguments);
    return {{"function", {{"name", name}, {"arguments", parsed ? *parsed : base::Json::object()}}}};
  }

  std::pair<std::string, std::string> call_;  ///< the one that is being written: name and arguments
};

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ChatJob job;
  job.request = read_ollama_options(reader, *model, call);
  job.stream = reader.boolean("stream").value_or(true);
  read_keep_alive(reader, call);
  job.setup.chat.messages = read_messages(reader, "messages");
  const bool truncate = reader.boolean("truncate").value_or(false);
  job.setup.overflow = read_overflow(reader, truncate ? Overflow::drop_oldest : Overflow::error);
  read_think(reader, job.setup.chat);
  read_tools(reader, job.setup);
  job.form = read_format(reader);
  if (reader.error()) return call.fail(*reader.error());
  const bool logprobs = job.request.logprobs >= 0;
  answer_chat(call, *model, std::move(job), [model, logprobs](ChatSetup setup) {
    return std::make_unique<OllamaChatFormat>(*model, std::move(setup), logprobs);
  });
}

constexpr Field kFields[] = {
    INGLE_OLLAMA_FIELDS,
    {"messages", kMessages, "the chat so far", Use::required},
    {"tools", kTools, "functions that the model may call"},
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
