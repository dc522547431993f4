// POST /v1/completions: a text goes on, or a gap in it is filled.
#include <ctime>

#include "core/engine/text_stream.h"
#include "server/api/generation.h"
#include "server/api/openai.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

constexpr size_t kMostPrompts = 64;
constexpr Type kPrompt = described(R"({"anyOf": [{"type": "string", "minLength": 1},
  {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
  {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 64},
  {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}, "minItems": 1, "maxItems": 64}]})");

/// What all choices share.
struct CompletionSetup {
  OpenAiHead head;
  std::vector<std::string> echoed;  ///< by choice: the prompt that comes before the text
  std::string suffix;
  bool include_usage = false, logprobs = false;
};

class CompletionFormat final : public AnswerFormat {
 public:
  CompletionFormat(const assistant::ModelService& model, CompletionSetup setup)
      : model_(model), setup_(std::move(setup)), offsets_(setup_.echoed.size()) {
    for (size_t i = 0; i < offsets_.size(); ++i) offsets_[i] = setup_.echoed[i].size();
  }

  std::string piece(const Choice& choice, const core::GenerationEvent& event) override {
    std::string text = event.started ? setup_.echoed[choice.index] : std::string();
    text += event.text;
    if (text.empty() && event.tokens.empty() && !event.finished) return {};
    base::Json json = setup_.head.json("text_completion");
    json["choices"] = base::Json::array({choice_json(choice.index, text, event.tokens, event.finished)});
    if (setup_.include_usage) json["usage"] = nullptr;
    if (event.finished) json["timings"] = timings_json(model_, choice.stats);
    return sse(json);
  }
  std::string end(const std::vector<Choice>& choices) override {
    std::string out;
    if (setup_.include_usage) {
      base::Json json = setup_.head.json("text_completion");
      json["choices"] = base::Json::array();
      json["usage"] = usage_json(choices);
      out += sse(json);
    }
    return out + "data: [DONE]\n\n";
  }
  std::string failed(const ApiError& error) override { return sse(error_json(Family::openai, error)); }
  base::Json whole(const std::vector<Choice>& choices) override {
    base::Json json = setup_.head.json("text_completion");
    for (const Choice& choice : choices)
      json["choices"].push_back(
          choice_json(choice.index, setup_.echoed[choice.index] + choice.text, choice.tokens, choice.finished));
    json["usage"] = usage_json(choices);
    json["timings"] = timings_json(model_, choices.front().stats);
    return json;
  }

 private:
  base::Json choice_json(size_t index, const std::string& text, std::span<const core::GeneratedToken> tokens,
                         const std::optional<core::StopReason>& finished) {
    return {{"text", text},
            {"index", index},
            {"logprobs", setup_.logprobs ? logprobs_json(index, tokens) : base::Json()},
            {"finish_reason", finished ? base::Json(finish_reason(*finished)) : base::Json()}};
  }
  // The older form of log-probabilities: lists side by side.
  base::Json logprobs_json(size_t index, std::span<const core::GeneratedToken> tokens) {
    base::Json json = {{"tokens", base::Json::array()},
                       {"token_logprobs", base::Json::array()},
                       {"top_logprobs", base::Json::array()},
                       {"text_offset", base::Json::array()}};
    for (const core::GeneratedToken& token : tokens) {
      const std::string text = core::replace_invalid_utf8(token.bytes);
      json["tokens"].push_back(text);
      json["token_logprobs"].push_back(token.logprob);
      base::Json others = base::Json::object();
      for (const core::TokenLogprob& other : token.likeliest)
        others[core::replace_invalid_utf8(other.bytes)] = other.logprob;
      json["top_logprobs"].push_back(std::move(others));
      json["text_offset"].push_back(offsets_[index]);
      offsets_[index] += text.size();
    }
    return json;
  }

  const assistant::ModelService& model_;
  const CompletionSetup setup_;
  std::vector<size_t> offsets_;
};

struct Prompt {
  std::vector<core::TokenId> tokens;
  std::string text;
};

/// A text, or token ids.
std::optional<Prompt> read_prompt(Reader& reader, assistant::ModelService& model, const base::Json& json) {
  const auto refuse = [&](const base::Error& error) {
    reader.adopt(api_error(error, "prompt"));
    return std::nullopt;
  };
  Prompt prompt;
  if (json.is_string()) {
    prompt.text = json.get<std::string>();
    auto tokens = model.tokenize(prompt.text, true, false);
    if (!tokens) return refuse(tokens.error());
    prompt.tokens = std::move(tokens).value();
    return prompt;
  }
  for (const base::Json& id : json) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= model.info().vocabulary_size) {
      reader.fail("prompt", "'prompt' has an item that is neither a text nor a token's id");
      return std::nullopt;
    }
    prompt.tokens.push_back(static_cast<core::TokenId>(id.get<uint64_t>()));
  }
  auto text = model.detokenize(prompt.tokens, false);
  if (!text) return refuse(text.error());
  prompt.text = std::move(text).value();
  return prompt;
}

/// "…", ["…", …], [1, 2, …] or [[1, 2], …].
std::vector<Prompt> read_prompts(Reader& reader, assistant::ModelService& model) {
  std::vector<Prompt> prompts;
  const base::Json* json = reader.find("prompt");
  const bool several = json != nullptr && json->is_array() && !json->empty() && !(*json)[0].is_number();
  if (json == nullptr || (!json->is_string() && !json->is_array()) || json->empty() ||
      (several && json->size() > kMostPrompts)) {
    reader.fail("prompt", "'prompt' must be a text, an array of token ids, or an array of up to " +
                              std::to_string(kMostPrompts) + " of these");
    return prompts;
  }
  if (!several) {
    if (auto prompt = read_prompt(reader, model, *json)) prompts.push_back(std::move(*prompt));
    return prompts;
  }
  for (const base::Json& each : *json) {
    if (!each.is_string() && !each.is_array()) {
      reader.fail("prompt", "'prompt' has an item that is neither a text nor an array of token ids");
      break;
    }
    auto prompt = read_prompt(reader, model, each);
    if (!prompt) break;
    prompts.push_back(std::move(*prompt));
  }
  return prompts;
}

void fill_gap(Reader& reader, assistant::ModelService& model, const std::string& suffix, std::vector<Prompt>& prompts) {
  for (Prompt& prompt : prompts) {
    auto tokens = model.gap_prompt(prompt.text, suffix);
    if (!tokens) return reader.adopt(api_error(tokens.error(), "suffix"));
    prompt.tokens = std::move(tokens).value();
  }
}

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  assistant::GenerationRequest request = read_generation(reader, *model, call);
  const StreamOptions stream = read_stream(reader);
  const int64_t count = reader.integer("n").value_or(1);
  request.reply.max_tokens = static_cast<uint32_t>(reader.integer("max_tokens").value_or(16));
  if (const auto likeliest = reader.integer("logprobs")) request.logprobs = static_cast<int32_t>(*likeliest);
  refuse_overflow(reader);
  const bool echo = reader.boolean("echo").value_or(false);
  if (echo && request.logprobs >= 0)
    reader.fail("echo", "'echo' with 'logprobs' is not supported: a prompt's log-probabilities are not computed");
  std::vector<Prompt> prompts = read_prompts(reader, *model);
  if (const auto suffix = reader.text("suffix"); suffix && !reader.error()) fill_gap(reader, *model, *suffix, prompts);
  if (prompts.size() * static_cast<size_t>(count) > kMostPrompts)
    reader.fail("n", "more than " + std::to_string(kMostPrompts) + " answers to one request");
  if (reader.error()) return call.fail(*reader.error());

  CompletionSetup setup;
  setup.head = {new_id("cmpl-"), model->name(), static_cast<int64_t>(std::time(nullptr))};
  setup.include_usage = stream.include_usage;
  setup.logprobs = request.logprobs >= 0;
  std::vector<assistant::GenerationRequest> requests;
  for (Prompt& prompt : prompts) {
    if (const auto error = check_context(*model, prompt.tokens.size(), "prompt")) return call.fail(*error);
    request.prompt = std::move(prompt.tokens);
    for (assistant::GenerationRequest& each : copies(request, count)) {
      requests.push_back(std::move(each));
      setup.echoed.push_back(echo ? prompt.text : std::string());
    }
  }
  answer(call, *model, std::move(requests), std::make_unique<CompletionFormat>(*model, std::move(setup)),
         stream.stream);
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /v1/models"},
    {"prompt", kPrompt, "a text, token ids, or several of these", Use::required},
    {"suffix", kText, "the text after the gap, for models that were trained to fill one"},
    {"stream", kBoolean, "pieces as server-sent events"},
    {"stream_options", object_of(kStreamFields), "only with stream"},
    {"n", integer(1, kMostChoices), "answers to each prompt"},
    {"max_tokens", integer(1), "the longest answer; 16 where it is not given, as in OpenAI's API"},
    {"logit_bias", kLogitBias, "{token id: bias}"},
    {"logprobs", integer(0, kMostLikeliest), "log-probabilities, and so many of the likeliest tokens'"},
    {"echo", kBoolean, "the prompt before the answer"},
    INGLE_SAMPLING_FIELDS,
    INGLE_PENALTY_FIELDS,
    INGLE_OTHER_SAMPLING_FIELDS,
    {"user", "", Use::hint},
    {"best_of", "answers are not compared", Use::refused},
};

}  // namespace

extern const Route completions_record;
const Route completions_record{
    .method = "POST", .path = "/v1/completions", .summary = "continue a text", .fields = kFields, .handle = handle};

}  // namespace ingle::server
