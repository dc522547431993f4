#include "server/api/ollama.h"

#include <ctime>

#include "server/api/openai.h"

namespace ingle::server {

std::string iso_time() {
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[40];
  const size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string fraction = std::to_string(micros % 1'000'000);
  return std::string(text, length) + "." + std::string(6 - fraction.size(), '0') + fraction + "Z";
}

core::GenerationRequest read_ollama_options(Reader& reader, const assistant::ModelService& model, const Call& call) {
  static const base::Json kNone = base::Json::object();
  const base::Json* options = reader.object("options");
  Reader inner(options == nullptr ? kNone : *options, "options");
  core::GenerationRequest request = read_generation(inner, model, call);
  if (const auto most = inner.integer("num_predict"); most && *most > 0)
    request.reply.max_tokens = static_cast<uint32_t>(*most);
  reader.adopt(inner.error());
  read_ingle(reader, request);
  const bool logprobs = reader.boolean("logprobs").value_or(false);
  const auto likeliest = reader.integer("top_logprobs");
  if (logprobs) request.logprobs = static_cast<int32_t>(likeliest.value_or(0));
  // An answer whose beginning and question the model no longer sees is not what anybody asked for.
  if (reader.boolean("shift").value_or(false))
    reader.fail("shift", "'shift' is not supported: an answer that fills the context ends with \"length\"",
                "unsupported_field");
  return request;
}

void read_think(Reader& reader, core::ChatRequest& chat) {
  const base::Json* think = reader.find("think");
  if (think == nullptr) return;
  if (think->is_boolean()) {
    chat.enable_thinking = think->get<bool>();
  } else if (think->is_string() && (*think == "low" || *think == "medium" || *think == "high")) {
    chat.enable_thinking = true;
    chat.variables["reasoning_effort"] = *think;
  } else {
    reader.fail("think", "'think' is true, false, low, medium or high");
  }
}

AnswerForm read_format(Reader& reader) {
  AnswerForm form;
  form.param = "format";
  const base::Json* format = reader.find("format");
  if (format == nullptr || (format->is_string() && format->get_ref<const std::string&>().empty())) return form;
  if (*format == "json") {
    form.expression = any_object_expression();
  } else if (format->is_object()) {
    form.expression = json_expression(*format);
  } else {
    reader.fail("format", "'format' is \"json\" or a JSON schema");
  }
  return form;
}

base::Json OllamaAnswer::head() const {
  return {{"model", model_.name()}, {"created_at", iso_time()}};
}

std::string OllamaAnswer::line(base::Json json) {
  json["done"] = false;
  return to_text(json) + "\n";
}

void OllamaAnswer::add_end(base::Json& json, const Choice& choice) const {
  const auto nanoseconds = [](double ms) { return static_cast<int64_t>(ms * 1e6); };
  const auto total = std::chrono::steady_clock::now() - began_;
  json["done"] = true;
  json["done_reason"] = finish_reason(*choice.finished);
  json["total_duration"] = std::chrono::duration_cast<std::chrono::nanoseconds>(total).count();
  json["load_duration"] = 0;
  json["prompt_eval_count"] = choice.stats.prompt_tokens;
  json["prompt_eval_duration"] = nanoseconds(choice.stats.prefill_ms);
  json["eval_count"] = choice.stats.generated_tokens;
  json["eval_duration"] = nanoseconds(choice.stats.decode_ms);
  add_report(json, choice.stats);
}

void OllamaAnswer::add_logprobs(base::Json& json, std::span<const core::GeneratedToken> tokens) const {
  if (logprobs_) json["logprobs"] = chat_logprobs(model_, tokens)["content"];
}

std::string OllamaAnswer::last_lines(base::Json empty, const Choice& choice, const core::GenerationEvent& event) const {
  std::string out;
  if (logprobs_ && !event.tokens.empty()) {
    base::Json tokens = empty;
    add_logprobs(tokens, event.tokens);
    out += line(std::move(tokens));
  }
  if (event.finished) {
    add_end(empty, choice);
    out += to_text(empty) + "\n";
  }
  return out;
}

}  // namespace ingle::server
