// POST /api/generate, as Ollama's API has it: a prompt through the chat template, raw, or around a gap.
#include "server/api/generation.h"
#include "server/api/ollama.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

using assistant::Delta;

class GenerateFormat final : public OllamaAnswer {
 public:
  using OllamaAnswer::OllamaAnswer;

  base::Json whole(const std::vector<Choice>& choices) override {
    const Choice& choice = choices.front();
    const assistant::Reply reply = reply_of(choice);
    base::Json json = with_response(reply.content);
    if (!reply.reasoning.empty()) json["thinking"] = reply.reasoning;
    add_logprobs(json, choice.tokens);
    add_end(json, choice);
    return json;
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& event) override {
    std::string out;
    for (const Delta& delta : deltas) {
      if (delta.kind == Delta::Kind::content) out += line(with_response(delta.text));
      if (delta.kind == Delta::Kind::reasoning) {
        base::Json json = with_response("");
        json["thinking"] = delta.text;
        out += line(std::move(json));
      }
    }
    return out + last_lines(with_response(""), choice, event);
  }

 private:
  base::Json with_response(const std::string& response) const {
    base::Json json = head();
    json["response"] = response;
    return json;
  }
};

std::optional<ApiError> prepare(Reader& reader, assistant::ModelService& model, ChatSetup& setup,
                                assistant::GenerationRequest& request, const AnswerForm& form) {
  const std::string prompt = reader.text("prompt").value_or(""), system = reader.text("system").value_or("");
  const bool raw = reader.boolean("raw").value_or(false);
  const auto suffix = reader.text("suffix");
  if (reader.error()) return reader.error();
  if (suffix) {
    auto gap = model.gap_prompt(prompt, *suffix);
    if (!gap) return api_error(gap.error(), "suffix");
    request.prompt = std::move(gap).value();
  } else if (raw || model.facts().chat_template.empty()) {
    auto tokens = model.tokenize(prompt, true, raw);
    if (!tokens) return api_error(tokens.error(), "prompt");
    request.prompt = std::move(tokens).value();
  } else {
    if (!system.empty()) setup.chat.messages.push_back({{"role", "system"}, {"content", system}});
    setup.chat.messages.push_back({{"role", "user"}, {"content", prompt}});
    return prepare_chat(model, setup, request, form);
  }
  if (!form.expression.empty()) {
    request.grammar = "root ::= " + form.expression;
    if (const base::Status possible = model.check_grammar(request.grammar); !possible.ok())
      return api_error(possible.error(), "format");
  }
  auto error = check_context(model, request.prompt.size(), "prompt");
  if (error && reader.boolean("truncate").value_or(false))
    error->message += " ('truncate' drops turns of a chat, of which a prompt has none)";
  return error;
}

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  assistant::GenerationRequest request = read_ollama_options(reader, *model, call);
  const bool stream = reader.boolean("stream").value_or(true);
  read_keep_alive(reader, call);
  ChatSetup setup;
  read_think(reader, setup.chat);
  const AnswerForm form = read_format(reader);
  refuse_overflow(reader);
  if (reader.error()) return call.fail(*reader.error());
  if (!reader.has("prompt")) {  // how clients ask for a model to be loaded: it is
    return call.respond(
        {{"model", model->name()},
         {"created_at", iso_time()},
         {"response", ""},
         {"done", true},
         {"done_reason", reader.has("keep_alive") && reader.find("keep_alive")->dump() == "0" ? "unload" : "load"}});
  }
  if (const auto error = prepare(reader, *model, setup, request, form)) return call.fail(*error);
  const bool logprobs = request.logprobs >= 0;
  answer(call, *model, {std::move(request)}, std::make_unique<GenerateFormat>(*model, std::move(setup), logprobs),
         stream);
}

constexpr Field kFields[] = {
    INGLE_OLLAMA_FIELDS,
    {"prompt", kText, "without one, nothing is answered"},
    {"suffix", kText, "the text after the gap, for models that were trained to fill one"},
    {"system", kText, "what the model is told first"},
    {"raw", kBoolean, "no template; special tokens in the prompt are such"},
    {"template", "the model's own is used", Use::refused},
    {"context", "send the messages of a chat instead", Use::refused},
    {"images", "this model reads text", Use::refused},
    {"width", "no images are made here", Use::refused},
    {"height", "no images are made here", Use::refused},
    {"steps", "no images are made here", Use::refused},
};

}  // namespace

extern const Route ollama_generate_record;
const Route ollama_generate_record{.method = "POST",
                                   .path = "/api/generate",
                                   .family = Family::ollama,
                                   .summary = "answer a prompt, in Ollama's form",
                                   .fields = kFields,
                                   .handle = handle};

}  // namespace ingle::server
