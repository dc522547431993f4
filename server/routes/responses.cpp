// POST /v1/responses, as OpenAI's API has it.
#include <ctime>

#include "server/api/generation.h"
#include "server/api/openai.h"
#include "server/api/response_output.h"
#include "server/api/response_request.h"

namespace ingle::server {
namespace {

using assistant::Delta;

/// Keeps a response and what came out. False: it is too large to be kept.
using Keep = std::function<bool(const base::Json& response, const base::Json& output)>;

class ResponseFormat final : public ChatAnswer {
 public:
  ResponseFormat(const assistant::ModelService& model, ChatSetup setup, base::Json head, bool logprobs, Keep keep)
      : ChatAnswer(model, std::move(setup)),
        head_(std::move(head)),
        wants_logprobs_(logprobs),
        keep_(std::move(keep)),
        output_([this](const std::string& text) { return logprobs_of(text); }) {}

  std::string begin() override {
    const base::Json response = with_status("in_progress");
    std::string out = output_.event("response.created", {{"response", response}});
    return out + output_.event("response.in_progress", {{"response", response}});
  }
  std::string end(const std::vector<Choice>& choices) override {
    const base::Json response = ended(choices.front());
    const bool whole = response["status"] == "completed";
    return output_.event(whole ? "response.completed" : "response.incomplete", {{"response", response}});
  }
  std::string failed(const ApiError& error) override {
    base::Json response = with_status("failed");
    response["error"] = {{"code", error.status == 429 ? "rate_limit_exceeded" : "server_error"},
                         {"message", error.message}};
    return output_.event("response.failed", {{"response", std::move(response)}});
  }
  base::Json whole(const std::vector<Choice>& choices) override {
    const Choice& choice = choices.front();
    tokens_ = choice.tokens;
    const assistant::Reply reply = reply_of(choice);
    output_.push({Delta::Kind::reasoning, 0, reply.reasoning});
    output_.push({Delta::Kind::content, 0, reply.content});
    for (const assistant::Call& call : reply.calls) {
      output_.push({Delta::Kind::call_begin, 0, call.name});
      output_.push({Delta::Kind::call_arguments, 0, call.arguments});
      output_.push({call.whole ? Delta::Kind::call_end : Delta::Kind::call_cut, 0, {}});
    }
    output_.finish(is_whole(choice));
    return ended(choice);
  }

 protected:
  std::string write(const Choice& choice, const std::vector<Delta>& deltas,
                    const core::GenerationEvent& event) override {
    tokens_.insert(tokens_.end(), event.tokens.begin(), event.tokens.end());
    std::string out;
    for (const Delta& delta : deltas) out += output_.push(delta);
    if (event.finished) out += output_.finish(is_whole(choice));
    return out;
  }

 private:
  static bool is_whole(const Choice& choice) { return finish_reason(*choice.finished) == "stop"; }

  base::Json with_status(std::string_view status) const {
    base::Json response = head_;
    response["status"] = status;
    response["error"] = response["incomplete_details"] = response["usage"] = nullptr;
    response["output"] = output_.items();
    return response;
  }
  // Kept before anybody hears of it, so that whoever does can go on from it.
  base::Json ended(const Choice& choice) {
    const bool is_whole_answer = is_whole(choice);
    base::Json response = with_status(is_whole_answer ? "completed" : "incomplete");
    if (is_whole_answer) {
      response["completed_at"] = static_cast<int64_t>(std::time(nullptr));
    } else {
      response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    }
    response["usage"] = usage(choice);
    add_report(response, choice.stats);
    if (response["store"] == true) response["store"] = keep_(response, output_.items());
    return response;
  }
  base::Json usage(const Choice& choice) const {
    const core::GenerationStats& stats = choice.stats;
    const uint32_t thought = output_.reasoning().empty() ? 0 : reasoning_tokens(choice);
    return {{"input_tokens", stats.prompt_tokens},
            {"input_tokens_details", {{"cached_tokens", stats.cached_tokens}, {"cache_write_tokens", 0}}},
            {"output_tokens", stats.generated_tokens},
            {"output_tokens_details", {{"reasoning_tokens", std::min(thought, stats.generated_tokens)}}},
            {"total_tokens", stats.prompt_tokens + stats.generated_tokens}};
  }
  /// Of the tokens that wrote this text, the last one that was written.
  base::Json logprobs_of(const std::string& text) const {
    if (!wants_logprobs_) return base::Json::array();
    std::string written;
    std::vector<size_t> ends;
    for (const core::GeneratedToken& token : tokens_) {
      written += token.bytes;
      ends.push_back(written.size());
    }
    const size_t found = written.rfind(text), from = found == std::string::npos ? 0 : found;
    const size_t to = found == std::string::npos ? written.size() : from + text.size();
    std::vector<core::GeneratedToken> its;
    for (size_t i = 0; i < tokens_.size(); ++i)
      if (ends[i] > from && (i == 0 ? 0 : ends[i - 1]) < to) its.push_back(tokens_[i]);
    return chat_logprobs(its)["content"];
  }

  const base::Json head_;
  const bool wants_logprobs_;
  const Keep keep_;
  std::vector<core::GeneratedToken> tokens_;
  ResponseOutput output_;
};

Keep keeper(const Call& call, const ResponseRequest& request) {
  return [store = call.responses, principal = call.principal, input = request.input, history = request.history](
             const base::Json& response, const base::Json& output) {
    StoredResponse stored{response, input, history};
    stored.history.push_back(std::make_shared<ItemList>(output));
    return store->put(principal, std::move(stored));
  };
}

void handle(Call& call) {
  Reader reader(call.body, {}, &call.unused);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  ResponseRequest request = read_response_request(reader, *model, call);
  if (reader.error()) return call.fail(*reader.error());
  base::Json head = std::move(request.repeated);
  head.update({{"id", new_id("resp_")},
               {"object", "response"},
               {"created_at", static_cast<int64_t>(std::time(nullptr))},
               {"model", model->name()}});
  const bool logprobs = request.job.request.logprobs >= 0;
  const Keep keep = keeper(call, request);
  answer_chat(call, *model, std::move(request.job), [model, head, logprobs, keep](ChatSetup setup) {
    return std::make_unique<ResponseFormat>(*model, std::move(setup), head, logprobs, keep);
  });
}

constexpr Field kPieceFields[] = {{"include_obfuscation", "pieces are not padded here", Use::hint}};
constexpr Type kInclude = array(R"({"enum": ["message.output_text.logprobs", "reasoning.encrypted_content",
  "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
  "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs"]})",
                                0, 64);
constexpr Type kMetadata = described(R"({"type": "object", "maxProperties": 16, "propertyNames": {"maxLength": 64},
  "additionalProperties": {"type": "string", "maxLength": 512}})");

constexpr Field kFields[] = {
    INGLE_RESPONSE_INPUT_FIELDS,
    {"store", kBoolean, "whether the response is kept, so that others can go on from it; it is, by default"},
    {"stream", kBoolean, "typed events"},
    {"stream_options", object_of(kPieceFields), ""},
    {"max_output_tokens", integer(1), "the longest answer"},
    {"top_logprobs", integer(0, kMostLikeliest), "log-probabilities of the answer's tokens, and of so many others"},
    {"include", kInclude, "message.output_text.logprobs; others have no effect"},
    {"metadata", kMetadata, "up to 16 texts, which the response repeats"},
    {"background", kBoolean, "only false"},
    INGLE_SAMPLING_FIELDS,
    INGLE_OTHER_SAMPLING_FIELDS,
    {"user", "", Use::hint},
    {"safety_identifier", "", Use::hint},
    {"prompt_cache_key", "", Use::hint},
    {"prompt_cache_retention", "", Use::hint},
    {"prompt_cache_options", "", Use::hint},
    {"service_tier", "", Use::hint},
    {"access_programs", "", Use::hint},
    {"max_tool_calls", "counts calls of tools that the server runs, of which there are none", Use::hint},
    {"background_options", "'background' is not supported", Use::refused},
    {"context_management", "nothing is compacted here; use 'truncation' or 'ingle.overflow'", Use::refused},
    {"image", "this model reads text", Use::refused},
    {"moderation", "nothing is moderated here", Use::refused},
    {"prompt", "templates of prompts are not kept here", Use::refused},
};

}  // namespace

extern const Route responses_record;
const Route responses_record{.method = "POST",
                             .path = "/v1/responses",
                             .summary = "answer a conversation that is kept",
                             .fields = kFields,
                             .handle = handle};

}  // namespace ingle::server
