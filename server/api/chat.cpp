#include "server/api/chat.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "server/api/overflow.h"

namespace ingle::server {
namespace {

constexpr std::pair<const char*, const char*> kTexts[] = {
    {"reasoning_content", "reasoning_content"},
    {"thinking", "reasoning_content"},
    {"tool_call_id", "tool_call_id"},
    {"tool_name", "name"},
};

// A part of a message's content.
constexpr Field kPartFields[] = {
    {"type", kText, "", Use::required}, {"text", kText, "", Use::required}, {"annotations", "", Use::hint},
    {"logprobs", "", Use::hint},        {"cache_control", "", Use::hint},
};
// What their values may be, assistant::Tools says. A function may stand alone, without what is around it.
#define INGLE_FUNCTION_FIELDS                                                             \
  {"name", kAnything, ""}, {"description", kAnything, ""}, {"parameters", kAnything, ""}, \
      {"strict", kAnything, "arguments match the schema in any case"}
constexpr Field kFunctionFields[] = {INGLE_FUNCTION_FIELDS};
constexpr Field kToolFields[] = {
    INGLE_FUNCTION_FIELDS, {"type", kAnything, ""}, {"function", kAnything, ""}, {"cache_control", "", Use::hint}};

void check_tools(Reader& reader, const base::Json& tools) {
  const auto check = [&](const base::Json& object, const std::string& path, std::span<const Field> fields) {
    if (!object.is_object()) return;
    Reader inner = reader.inside(object, path);
    inner.check(fields);
    reader.adopt(inner.error());
  };
  for (size_t i = 0; i < tools.size(); ++i) {
    const std::string path = "tools[" + std::to_string(i) + "]";
    check(tools[i], path, kToolFields);
    if (tools[i].is_object() && tools[i].contains("function"))
      check(tools[i]["function"], path + ".function", kFunctionFields);
  }
}

/// Templates read arguments as objects; OpenAI's clients send them as text. False: they are neither.
bool open_arguments(base::Json& calls) {
  for (base::Json& call : calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    base::Json& arguments = call["function"]["arguments"];
    if (arguments.is_null()) arguments = base::Json::object();
    if (!arguments.is_string() && !arguments.is_object()) return false;
    if (!arguments.is_string()) continue;
    if (auto parsed = base::parse_json(arguments.get<std::string>()); parsed && parsed->is_object())
      arguments = *parsed;
  }
  return true;
}

base::Json read_message(Reader& reader, const base::Json& message, const std::string& path) {
  Reader inner = reader.inside(message, path);
  base::Json result = base::Json::object();
  const std::string role = inner.text("role").value_or("");
  result["role"] = role == "developer" ? "system" : role;
  const base::Json* calls = inner.array("tool_calls");
  const base::Json* content = inner.find("content");
  if (content == nullptr && calls == nullptr) inner.require("content");
  result["content"] =
      content == nullptr || inner.error() ? std::string() : read_content(inner, *content, path + ".content");
  if (calls != nullptr) {
    result["tool_calls"] = *calls;
    if (!open_arguments(result["tool_calls"]))
      inner.fail("tool_calls", "'" + path + ".tool_calls' has arguments that are neither a text nor an object");
  }
  // By the names that templates read.
  for (const auto& [name, read] : kTexts)
    if (const auto text = inner.text(name)) result[read] = *text;
  reader.adopt(inner.error());
  return result;
}

}  // namespace

std::string read_content(Reader& reader, const base::Json& content, const std::string& path) {
  if (content.is_string()) return content.get<std::string>();
  const auto wrong = [&](const std::string& message, const std::string& at) {
    if (!reader.error()) reader.adopt(ApiError{400, message, at, {}, {}});
    return std::string();
  };
  if (!content.is_array()) return wrong("'" + path + "' must be a string or an array of parts", path);
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string at = path + "[" + std::to_string(i) + "]";
    const base::Json& part = content[i];
    const auto type = part.is_object() ? part.find("type") : part.end();
    if (!part.is_object() || type == part.end() || !type->is_string())
      return wrong("'" + at + "' must be a part with a type", at);
    const std::string kind = type->get<std::string>();
    if (kind != "text" && kind != "input_text" && kind != "output_text")
      return wrong("parts of type '" + kind.substr(0, 64) + "' are not supported; this model reads text", at + ".type");
    Reader inner = reader.inside(part, at);
    inner.check(kPartFields);
    text += inner.text("text").value_or("");
    reader.adopt(inner.error());
  }
  return text;
}

base::Json read_messages(Reader& reader, std::string_view name) {
  const base::Json* messages = reader.array(name);
  base::Json result = base::Json::array();
  if (messages == nullptr) return result;
  for (size_t i = 0; i < messages->size() && !reader.error(); ++i)
    result.push_back(read_message(reader, (*messages)[i], reader.path_of(name) + "[" + std::to_string(i) + "]"));
  return result;
}

void read_template_options(Reader& reader, core::ChatRequest& request) {
  if (const auto effort = reader.text("reasoning_effort")) {
    request.enable_thinking = *effort != "none" && *effort != "minimal";
    request.variables["reasoning_effort"] = *effort;
  }
  if (const base::Json* variables = reader.object("chat_template_kwargs")) {
    for (const auto& [key, value] : variables->items()) {
      if (key == "enable_thinking" && value.is_boolean()) {
        request.enable_thinking = value.get<bool>();
      } else {
        request.variables[key] = value;
      }
    }
  }
}

const assistant::Tools& ChatSetup::offered_tools() const {
  static const assistant::Tools none;
  return calls.choice == assistant::ToolChoice::none ? none : tools;
}

void read_tools(Reader& reader, ChatSetup& setup) {
  const base::Json* tools = reader.array("tools");
  setup.calls.parallel = reader.boolean("parallel_tool_calls").value_or(true);
  const base::Json* choice = reader.find("tool_choice");
  if (tools == nullptr) {
    if (choice != nullptr) reader.fail("tool_choice", "'tool_choice' needs 'tools'");
    return;
  }
  check_tools(reader, *tools);
  auto parsed = assistant::Tools::parse(*tools);
  if (!parsed) return reader.fail("tools", parsed.error().message);
  setup.tools = std::move(parsed).value();
  if (choice == nullptr || *choice == "auto") {
    setup.calls.choice = assistant::ToolChoice::automatic;
  } else if (*choice == "none") {
    setup.calls.choice = assistant::ToolChoice::none;
  } else if (*choice == "required") {
    setup.calls.choice = assistant::ToolChoice::required;
  } else if (choice->is_object() && choice->value("type", base::Json()) == "function" && choice->contains("function") &&
             (*choice)["function"].is_object() && (*choice)["function"].value("name", base::Json()).is_string()) {
    setup.calls.choice = assistant::ToolChoice::named;
    setup.calls.name = (*choice)["function"]["name"].get<std::string>();
    if (setup.tools.find(setup.calls.name) == nullptr)
      reader.fail("tool_choice", "'tool_choice' names no tool of this request");
  } else {
    reader.fail("tool_choice",
                "'tool_choice' is none, auto, required or {\"type\": \"function\", \"function\": {\"name\": …}}");
  }
  if (setup.calls.choice != assistant::ToolChoice::none) setup.chat.tools = *tools;
}

std::string json_expression(const base::Json& schema) {
  return "%json" + to_text(schema);
}

std::string any_object_expression() {
  return json_expression({{"type", "object"}, {"additionalProperties", true}});
}

AnswerForm read_answer_form(Reader& reader) {
  AnswerForm form;
  form.grammar = reader.text("grammar").value_or("");
  const base::Json* format = reader.object("response_format");
  if (format == nullptr) return form;
  Reader inner(*format, "response_format");
  const std::string type = inner.text("type").value_or("");
  if (type == "json_schema") {
    inner.require("json_schema");
    if (const base::Json* named = inner.object("json_schema")) {
      Reader schema(*named, "response_format.json_schema");
      if (const base::Json* value = schema.find("schema")) form.expression = json_expression(*value);
      inner.adopt(schema.error());
    }
  } else if (type == "json_object") {
    const base::Json* schema = inner.find("schema");
    form.expression = schema != nullptr ? json_expression(*schema) : any_object_expression();
  }
  reader.adopt(inner.error());
  if (!form.grammar.empty() && !form.expression.empty())
    reader.fail("grammar", "'grammar' and 'response_format' are two forms of one answer; give one");
  return form;
}

namespace {

/// What the reply may begin with, by what the model was asked.
assistant::Thinking thinking_of(const assistant::ModelService& model, const ChatSetup& setup) {
  if (setup.starts_in_reasoning) return assistant::Thinking::open;
  const bool can = !model.dialect().reasoning.empty() &&
                   (model.facts().template_thinks || model.facts().chat_template.find("think") != std::string::npos);
  return can && setup.chat.enable_thinking.value_or(true) ? assistant::Thinking::optional : assistant::Thinking::off;
}

std::optional<ApiError> constrain(assistant::ModelService& model, ChatSetup& setup,
                                  assistant::GenerationRequest& request, const AnswerForm& form) {
  std::string grammar = form.grammar;
  if (grammar.empty()) {
    setup.calls.answer = form.expression;
    setup.calls.thinking = thinking_of(model, setup);
    auto written = tool_grammar(model.dialect(), setup.tools, setup.calls);
    if (!written) return api_error(written.error(), "tools");
    grammar = std::move(written).value();
  }
  if (grammar.empty()) return std::nullopt;
  const base::Status possible = model.check_grammar(grammar);
  if (possible.ok()) {
    request.grammar = std::move(grammar);
    setup.constrained = true;
    return std::nullopt;
  }
  const bool answers = !form.expression.empty() || !form.grammar.empty();
  // A tool's schema that can't be kept: where calls are the model's own choice, they are then looked at afterwards.
  if (!answers && setup.calls.choice == assistant::ToolChoice::automatic) return std::nullopt;
  const std::string param = !form.grammar.empty() ? "grammar" : answers ? form.param : "tools";
  return api_error(possible.error(), param);
}

}  // namespace

std::optional<ApiError> prepare_chat(assistant::ModelService& model, ChatSetup& setup,
                                     assistant::GenerationRequest& request, const AnswerForm& form) {
  setup.chat.now = static_cast<int64_t>(std::time(nullptr));
  if (auto error = fit_chat(model, setup, request)) return error;
  constexpr size_t kEnd = 32;  // tokens in which a mark that opens reasoning would be
  const size_t end = std::min(request.prompt.size(), kEnd);
  const auto ending =
      model.detokenize({request.prompt.end() - static_cast<ptrdiff_t>(end), request.prompt.end()}, true);
  if (!ending) return api_error(ending.error());
  setup.starts_in_reasoning = ends_in_reasoning(model.dialect(), *ending);
  request.reply.shown = model.facts().marks;
  for (const std::string_view stop : model.dialect().stops) request.reply.stop_strings.emplace_back(stop);
  return constrain(model, setup, request, form);
}

}  // namespace ingle::server
