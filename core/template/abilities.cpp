#include "core/template/abilities.h"

#include <utility>

namespace ingle::core {
namespace {

using base::Json;

// What no template writes by itself.
constexpr const char* kSystem = "xq-system";
constexpr const char* kTool = "xq_tool";
constexpr const char* kArgument = "xq-argument";
constexpr const char* kResult = "xq-result";
constexpr const char* kCallId = "xq1234567";  // Mistral's templates want nine letters and digits

Json tool_list() {
  const Json parameters = {{"type", "object"},
                           {"properties", {{"city", {{"type", "string"}, {"description", "A city"}}}}},
                           {"required", {"city"}}};
  return Json::array(
      {{{"type", "function"}, {"function", {{"name", kTool}, {"description", "Tells"}, {"parameters", parameters}}}}});
}

/// A question, a call, its result.
Json called(const Json& arguments) {
  const Json call = {{"id", kCallId}, {"type", "function"}, {"function", {{"name", kTool}, {"arguments", arguments}}}};
  return Json::array({{{"role", "user"}, {"content", "Hello"}},
                      {{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({call})}},
                      {{"role", "tool"}, {"content", kResult}, {"tool_call_id", kCallId}, {"name", kTool}}});
}

/// Empty where it fails.
std::string render(const ChatTemplate& chat_template, const Json& messages, const Json& tools) {
  auto text = chat_template.render({{"messages", messages},
                                    {"tools", tools},
                                    {"documents", nullptr},
                                    {"add_generation_prompt", true},
                                    {"bos_token", "<s>"},
                                    {"eos_token", "</s>"}});
  return text ? std::move(text).value() : std::string();
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TemplateAbilities abilities_of(const ChatTemplate& chat_template) {
  TemplateAbilities abilities;
  const Json user = {{"role", "user"}, {"content", "Hello"}};
  const Json question = Json::array({user});
  const std::string with_tools = render(chat_template, question, tool_list());
  if (with_tools.empty() && render(chat_template, question, nullptr).empty()) return abilities;
  abilities.tools = has(with_tools, kTool);
  // Some templates take it for granted that there are tools.
  const Json tools = abilities.tools ? tool_list() : Json();
  const Json told = Json::array({{{"role", "system"}, {"content", kSystem}}, user});
  abilities.system = has(render(chat_template, told, tools), kSystem);
  std::string text = render(chat_template, called({{"city", kArgument}}), tools);
  if (!has(text, kArgument)) {
    const std::string other = render(chat_template, called("{\"city\": \"" + std::string(kArgument) + "\"}"), tools);
    abilities.text_arguments = has(other, kArgument);
    if (abilities.text_arguments) text = other;
  }
  abilities.calls = has(text, kArgument);
  abilities.results = has(text, kResult);
  return abilities;
}

}  // namespace ingle::core
