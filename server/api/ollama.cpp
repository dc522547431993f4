#include "server/api/ollama.h"

#include <charconv>
#include <cmath>
#include <ctime>

#include "server/api/openai.h"

namespace ingle::server {

std::string iso_time(std::chrono::seconds from_now) {
  const auto now = std::chrono::system_clock::now() + from_now;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[40];
  const size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string fraction = std::to_string(micros % 1'000'000);
  return std::string(text, length) + "." + std::string(6 - fraction.size(), '0') + fraction + "Z";
}

assistant::GenerationRequest read_ollama_options(Reader& reader, const assistant::ModelService& model,
                                                 const Call& call) {
  static const base::Json kNone = base::Json::object();
  const base::Json* options = reader.object("options");
  Reader inner(options == nullptr ? kNone : *options, "options");
  assistant::GenerationRequest request = read_generation(inner, model, call);
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

namespace {

constexpr double kMostSeconds = 3.2e9;  // a century

/// As Go writes durations: "300ms", "-1m", "1h30m"; nothing where it is none.
std::optional<double> go_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3},
                                                            {"s", 1},     {"m", 60},    {"h", 3600}};
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  double seconds = 0;
  do {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::ranges::find(kUnits, text.substr(0, letters), [](const auto& each) { return each.first; });
    if (unit == std::end(kUnits)) return std::nullopt;
    seconds += number * unit->second;
    text.remove_prefix(letters);
  } while (!text.empty());
  return negative ? -seconds : seconds;
}

}  // namespace

std::string read_model_name(Reader& reader) {
  const auto model = reader.text("model"), name = reader.text("name");
  if (!model && !name) reader.require("model");
  return model.value_or(name.value_or(""));
}

void read_keep_alive(Reader& reader, const Call& call) {
  const base::Json* value = reader.find("keep_alive");
  if (value == nullptr || reader.error()) return;
  std::optional<double> seconds;
  if (value->is_number()) seconds = value->get<double>();
  if (value->is_string()) seconds = go_duration(value->get_ref<const std::string&>());
  if (!seconds || !(std::abs(*seconds) < kMostSeconds)) {
    reader.fail("keep_alive", "'keep_alive' is a number of seconds, or a duration such as \"5m\"; -1: for ever");
  } else if (*seconds < 0) {
    call.pool->keep(*call.model, std::nullopt);
  } else {
    call.pool->keep(*call.model, std::chrono::seconds(static_cast<int64_t>(std::ceil(*seconds))));
  }
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
  if (logprobs_) json["logprobs"] = chat_logprobs(tokens)["content"];
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
