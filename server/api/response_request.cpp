#include "server/api/response_request.h"

#include <algorithm>
#include <utility>

#include "server/api/generation.h"
#include "server/api/overflow.h"

namespace ingle::server {
namespace {

constexpr Field kFunctionFields[] = {
    {"type", kText, ""},
    {"name", kText, "", Use::required},
    {"description", kText, ""},
    {"parameters", kObject, ""},
    {"strict", kBoolean, "calls always match the schema"},
    {"output_schema", "", Use::hint},
    {"defer_loading", "", Use::hint},
    {"allowed_callers", "only the model calls tools here", Use::refused},
    {"async", "calls are answered one after the other", Use::refused},
};
constexpr std::string_view kLogprobs = "message.output_text.logprobs";

/// A tool in this API's form, in that of chat completions.
base::Json chat_tool(Reader& reader, const base::Json& json, const std::string& path) {
  Reader tool = reader.inside(json, path);
  const std::string type = tool.text("type").value_or("");
  if (type != "function" && !tool.error())
    tool.fail("type", "tools of type '" + type.substr(0, 64) + "' are not supported; only functions are",
              "unsupported_value");
  tool.check(kFunctionFields);
  base::Json function = {{"name", tool.text("name").value_or("")}};
  for (const char* name : {"description", "parameters", "strict"})
    if (const base::Json* value = tool.find(name)) function[name] = *value;
  reader.adopt(tool.error());
  return {{"type", "function"}, {"function", std::move(function)}};
}

void read_response_tools(Reader& reader, ChatSetup& setup) {
  base::Json body = base::Json::object();
  if (const base::Json* tools = reader.array("tools"); tools != nullptr && !tools->empty()) {
    for (size_t i = 0; i < tools->size() && !reader.error(); ++i)
      body["tools"].push_back(chat_tool(reader, (*tools)[i], "tools[" + std::to_string(i) + "]"));
  }
  if (const base::Json* choice = reader.find("tool_choice")) {
    const bool idle = *choice == "auto" || *choice == "none";
    if (body.contains("tools") || !idle) body["tool_choice"] = *choice;
    if (choice->is_object() && choice->value("type", base::Json()) == "function")
      body["tool_choice"] = {{"type", "function"}, {"function", {{"name", choice->value("name", base::Json())}}}};
  }
  if (const auto parallel = reader.boolean("parallel_tool_calls")) body["parallel_tool_calls"] = *parallel;
  if (reader.error()) return;
  Reader inner(body);
  read_tools(inner, setup);
  if (inner.error() && inner.error()->param == "tool_choice") {
    reader.fail("tool_choice",
                "'tool_choice' is none, auto, required or {\"type\": \"function\", \"name\": …} of one of the 'tools'");
  }
  reader.adopt(inner.error());
}

AnswerForm read_text_form(Reader& reader) {
  AnswerForm form;
  form.param = "text.format";
  const base::Json* text = reader.object("text");
  const base::Json* format = text == nullptr ? nullptr : Reader(*text, "text").object("format");
  if (format == nullptr) return form;
  Reader shape(*format, "text.format");
  const std::string type = shape.text("type").value_or("");
  if (type == "json_object") form.expression = any_object_expression();
  if (type == "json_schema") {
    shape.require("schema");
    if (const base::Json* schema = shape.find("schema")) form.expression = json_expression(*schema);
  }
  reader.adopt(shape.error());
  return form;
}

void read_reasoning_options(Reader& reader, core::ChatRequest& chat) {
  const base::Json* reasoning = reader.object("reasoning");
  const auto effort = reasoning == nullptr ? std::nullopt : Reader(*reasoning).text("effort");
  if (!effort) return;
  const base::Json body = {{"reasoning_effort", *effort == "max" ? "xhigh" : *effort}};
  Reader options(body);
  read_template_options(options, chat);
}

void read_included(Reader& reader, assistant::GenerationRequest& request, Call& call) {
  if (const auto likeliest = reader.integer("top_logprobs")) request.logprobs = static_cast<int32_t>(*likeliest);
  const base::Json* list = reader.array("include");
  if (list == nullptr) return;
  for (const base::Json& name : *list) {
    if (name == kLogprobs) {
      request.logprobs = std::max(request.logprobs, 0);
    } else if (name.is_string() &&
               std::ranges::find(kIncluded, name.get_ref<const std::string&>()) != std::end(kIncluded)) {
      call.unused.push_back("include." + name.get<std::string>());
    } else {
      reader.fail("include", "'include' has an item that there is not: " + to_text(name).substr(0, 64));
    }
  }
}

base::Json read_metadata(Reader& reader) {
  constexpr size_t kMostPairs = 16, kLongestKey = 64, kLongestValue = 512;
  const base::Json* metadata = reader.object("metadata");
  if (metadata == nullptr) return base::Json::object();
  bool fits = metadata->size() <= kMostPairs;
  for (const auto& [key, value] : metadata->items())
    fits = fits && key.size() <= kLongestKey && value.is_string() &&
           value.get_ref<const std::string&>().size() <= kLongestValue;
  if (!fits) reader.fail("metadata", "'metadata' has up to 16 texts of 512 bytes, with names of 64");
  return *metadata;
}

/// The conversation that goes on.
std::vector<Items> read_history(Reader& reader, Call& call) {
  const auto id = reader.text("previous_response_id");
  if (!id) return {};
  auto stored = call.responses->find(call.principal, *id);
  if (stored) return std::move(stored->history);
  reader.fail("previous_response_id",
              "there is no response '" + id->substr(0, 64) +
                  "': it was not stored, is deleted, or had to go; send the whole conversation as 'input'",
              "previous_response_not_found");
  return {};
}

Overflow read_truncation(Reader& reader) {
  const std::string truncation = reader.text("truncation").value_or("disabled");
  if (truncation != "auto" && truncation != "disabled") reader.fail("truncation", "'truncation' is auto or disabled");
  return read_overflow(reader, truncation == "auto" ? Overflow::drop_oldest : Overflow::error);
}

/// What the response says of its request.
base::Json repeat(const base::Json& body, const ResponseRequest& request) {
  const auto given = [&](const char* name, const base::Json& otherwise) -> base::Json {
    const auto found = body.find(name);
    return found == body.end() || found->is_null() ? otherwise : *found;
  };
  const core::SamplingParams& sampling = request.job.request.sampling;
  base::Json reasoning = {{"effort", nullptr}, {"summary", nullptr}};
  if (const auto found = body.find("reasoning"); found != body.end() && found->is_object())
    reasoning["effort"] = found->value("effort", base::Json());
  base::Json text = given("text", base::Json::object());
  if (!text.contains("format")) text["format"] = {{"type", "text"}};
  return {{"background", false},
          {"instructions", given("instructions", nullptr)},
          {"max_output_tokens", given("max_output_tokens", nullptr)},
          {"metadata", given("metadata", base::Json::object())},
          {"parallel_tool_calls", request.job.setup.calls.parallel},
          {"previous_response_id", given("previous_response_id", nullptr)},
          {"reasoning", std::move(reasoning)},
          {"store", request.store},
          {"temperature", sampling.temperature},
          {"text", std::move(text)},
          {"tool_choice", given("tool_choice", "auto")},
          {"tools", given("tools", base::Json::array())},
          {"top_logprobs", std::max(request.job.request.logprobs, 0)},
          {"top_p", sampling.top_p},
          {"truncation", given("truncation", "disabled")}};
}

}  // namespace

ResponseRequest read_response_request(Reader& reader, const assistant::ModelService& model, Call& call) {
  ResponseRequest request;
  ChatJob& job = request.job;
  job.request = read_generation(reader, model, call);
  if (const auto most = reader.integer("max_output_tokens"))
    job.request.reply.max_tokens = static_cast<uint32_t>(*most);
  read_included(reader, job.request, call);
  job.stream = reader.boolean("stream").value_or(false);
  if (reader.boolean("background").value_or(false))
    reader.fail("background", "'background' is not supported: answers are not written after their reader has gone",
                "unsupported_field");
  request.store = reader.boolean("store").value_or(true);
  read_metadata(reader);

  request.history = read_history(reader, call);
  request.input = std::make_shared<ItemList>(read_input(reader));
  request.history.push_back(request.input);
  size_t items = 0;
  for (const Items& list : request.history) items += list->items.size();
  if (items > kMostItems)
    reader.fail("input", "the conversation has more than " + std::to_string(kMostItems) + " items; begin a new one");
  if (const auto instructions = reader.text("instructions"))
    job.setup.chat.messages.push_back({{"role", "system"}, {"content", *instructions}});
  if (!reader.error())
    for (base::Json& message : messages_of(request.history)) job.setup.chat.messages.push_back(std::move(message));

  job.setup.param = "input";
  job.setup.overflow = read_truncation(reader);
  read_reasoning_options(reader, job.setup.chat);
  read_response_tools(reader, job.setup);
  job.form = read_text_form(reader);
  if (!reader.error()) request.repeated = repeat(call.body, request);
  return request;
}

}  // namespace ingle::server
