#include "assistant/dialects/tool_prompt.h"

#include <string>
#include <utility>

#include "assistant/dialects/call_writer.h"

namespace ingle::assistant {
namespace {

using base::Json;

std::string role_of(const Json& message) {
  const auto role = message.is_object() ? message.find("role") : message.end();
  return role != message.end() && role->is_string() ? role->get<std::string>() : std::string();
}

std::string content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return {};
  return content->is_string() ? content->get<std::string>() : json_text(*content);
}

std::string joined(std::string_view first, std::string_view gap, std::string_view second) {
  return std::string(first) + std::string(first.empty() || second.empty() ? "" : gap) + std::string(second);
}

/// The call's name and arguments: of OpenAI's {"function": {…}}, or the inner object alone.
const Json& function_of(const Json& call) {
  const auto inner = call.is_object() ? call.find("function") : call.end();
  return inner != call.end() ? *inner : call;
}

std::string calls_text(const CallForm& form, const Json& calls) {
  std::string out(form.first);
  bool first = true;
  for (const Json& call : calls) {
    const Json& function = function_of(call);
    if (!function.is_object() || !function.contains("name") || !function["name"].is_string()) continue;
    const auto arguments = function.find("arguments");
    const bool none = arguments == function.end() || arguments->is_null();
    if (!first) out += form.between;
    first = false;
    out += form.before;
    out += form.write(function["name"].get<std::string>(), none ? Json::object() : *arguments);
    out += form.after;
  }
  return first ? std::string() : out + std::string(form.last);
}

/// The tools' descriptions and the form of a call, in the dialect's words.
std::string tools_text(const Dialect& dialect, const Json& tools) {
  constexpr std::string_view kTools = "{tools}", kCall = "{call}";
  Json list = Json::array();
  for (const Json& tool : tools) list.push_back(function_of(tool));
  const Json example = {{"name", "function_name"}, {"arguments", {{"argument_name", "value"}}}};
  std::string out;
  std::string_view rest = dialect.tool_prompt;
  // What is put in is not looked at again: a description may well say "{call}".
  for (size_t at = rest.find('{'); at != rest.npos; at = rest.find('{')) {
    out += rest.substr(0, at);
    rest.remove_prefix(at);
    if (rest.starts_with(kTools)) {
      out += json_text(list);
      rest.remove_prefix(kTools.size());
    } else if (rest.starts_with(kCall)) {
      out += calls_text(dialect.form, Json::array({example}));
      rest.remove_prefix(kCall.size());
    } else {
      out += rest.front();
      rest.remove_prefix(1);
    }
  }
  return out + std::string(rest);
}

void tell(Json& messages, bool system, const std::string& text) {
  if (system && !messages.empty() && role_of(messages.front()) == "system") {
    messages.front()["content"] = joined(content_of(messages.front()), "\n\n", text);
    return;
  }
  if (!system) {
    for (Json& message : messages) {
      if (role_of(message) != "user") continue;
      message["content"] = joined(text, "\n\n", content_of(message));
      return;
    }
  }
  messages.insert(messages.begin(), Json{{"role", system ? "system" : "user"}, {"content", text}});
}

/// As Qwen's and Hermes' templates write it.
std::string result_text(const Json& message) {
  return "<tool_response>\n" + content_of(message) + "\n</tool_response>";
}

/// The assistant's calls and the tools' results as text, where `calls`, `results`.
Json with_calls_as_text(const CallForm& form, const Json& messages, bool calls, bool results) {
  Json out = Json::array();
  bool after_results = false;  // the last message is made of results
  for (const Json& message : messages) {
    const std::string role = role_of(message);
    if (results && role == "tool") {
      const std::string text = result_text(message);
      if (after_results) {
        out.back()["content"] = content_of(out.back()) + "\n" + text;
      } else {
        out.push_back({{"role", "user"}, {"content", text}});
      }
      after_results = true;
      continue;
    }
    if (after_results && role == "user") {
      out.back()["content"] = joined(content_of(out.back()), "\n\n", content_of(message));
    } else {
      out.push_back(message);
      if (calls && role == "assistant" && message.contains("tool_calls")) {
        out.back()["content"] = joined(content_of(message), "\n", calls_text(form, message["tool_calls"]));
        out.back().erase("tool_calls");
      }
    }
    after_results = false;
  }
  return out;
}

void spell_arguments(Json& messages) {
  for (Json& message : messages) {
    if (!message.is_object() || !message.contains("tool_calls")) continue;
    for (Json& call : message["tool_calls"]) {
      if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
      Json& arguments = call["function"]["arguments"];
      if (!arguments.is_string()) arguments = arguments.is_null() ? "{}" : json_text(arguments);
    }
  }
}

}  // namespace

base::Json messages_with_tools(const Dialect& dialect, const core::TemplateAbilities& abilities, const Json& messages,
                               const Json& tools) {
  if (!messages.is_array()) return messages;
  const bool writes = dialect.form.write != nullptr;
  // A template that knows neither tools nor calls writes results by accident: as it writes any role.
  const bool results = !abilities.results || !(abilities.tools || abilities.calls);
  Json out = writes ? with_calls_as_text(dialect.form, messages, !abilities.calls, results) : messages;
  if (abilities.text_arguments) spell_arguments(out);
  if (writes && !abilities.tools && tools.is_array() && !tools.empty()) {
    tell(out, abilities.system, tools_text(dialect, tools));
  }
  return out;
}

}  // namespace ingle::assistant
