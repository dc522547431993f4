// Anthropic's messages, as chat templates take them.
#pragma once

#include "server/api/chat.h"

namespace ingle::server {

/// `system`, `messages`, `tools`, `tool_choice`, `thinking`: text, thinking, tool_use and tool_result blocks.
ChatSetup read_anthropic_chat(Reader& reader);

/// `output_config`: its format.
AnswerForm read_output_config(Reader& reader);

inline constexpr std::string_view kAnthropicRoles[] = {"user", "assistant", "system"};
inline constexpr std::string_view kAnthropicChoices[] = {"auto", "any", "none", "tool"};
inline constexpr std::string_view kAnthropicThinking[] = {"enabled", "disabled", "adaptive"};
inline constexpr std::string_view kAnthropicFormats[] = {"json_schema"};

inline constexpr Type kAnthropicTexts = described(R"({"anyOf": [{"type": "string"}, {"type": "array", "items":
  {"type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
  "required": ["type", "text"]}}]})");
inline constexpr Type kAnthropicContent = described(R"({"anyOf": [{"type": "string"}, {"type": "array", "items":
  {"type": "object", "properties": {"type": {"enum": ["text", "thinking", "tool_use", "tool_result"]}},
  "required": ["type"]}}]})");
inline constexpr std::string_view kAnthropicToolTypes[] = {"custom"};
inline constexpr Field kAnthropicToolFields[] = {
    {"type", one_of(kAnthropicToolTypes), "nothing is called from here"},
    {"name", kText, "", Use::required},
    {"description", kText, "when to call it"},
    {"input_schema", kObject, "of its arguments", Use::required},
    {"strict", kBoolean, "arguments always match"},
    {"cache_control", "", Use::hint},
    {"eager_input_streaming", "", Use::hint},
    {"defer_loading", "", Use::hint},
    {"allowed_callers", "", Use::hint},
    {"input_examples", "", Use::hint},
};
inline constexpr Field kAnthropicMessageFields[] = {
    {"role", one_of(kAnthropicRoles), "", Use::required},
    {"content", kAnthropicContent, "a text or blocks", Use::required},
};
inline constexpr Field kAnthropicChoiceFields[] = {
    {"type", one_of(kAnthropicChoices), "", Use::required},
    {"name", kText, "of the tool"},
    {"disable_parallel_tool_use", kBoolean, "one call at most"},
};
inline constexpr Field kAnthropicThinkingFields[] = {
    {"type", one_of(kAnthropicThinking), "", Use::required},
    {"budget_tokens", "", Use::hint},
    {"display", "", Use::hint},
};
inline constexpr Field kAnthropicFormatFields[] = {
    {"type", one_of(kAnthropicFormats), "", Use::required},
    {"schema", kSchema, "of the answer", Use::required},
};
inline constexpr Field kAnthropicOutputFields[] = {
    {"format", object_of(kAnthropicFormatFields), "the answer has this form"},
    {"effort", "", Use::hint},
};

/// Fields of /v1/messages and /v1/messages/count_tokens alike, for tables.
#define INGLE_ANTHROPIC_FIELDS                                                                                      \
  {"model", kText, "a name of GET /v1/models"},                                                                     \
      {"messages", array_of(kAnthropicMessageFields, 1, kMostMessages), "the chat so far", Use::required},          \
      {"system", kAnthropicTexts, "what the model is told first"},                                                  \
      {"tools", array_of(kAnthropicToolFields), "functions that the model may call"},                               \
      {"tool_choice", object_of(kAnthropicChoiceFields), "auto, any, none or a named tool"},                        \
      {"thinking", object_of(kAnthropicThinkingFields), "whether the model thinks first"},                          \
      {"cache_control", "", Use::hint}, {"metadata", "", Use::hint}, {"service_tier", "", Use::hint},               \
      {"inference_geo", "", Use::hint}, {"user_profile_id", "", Use::hint}, {"workspace_id", "", Use::hint},        \
      {"diagnostics", "", Use::hint}, {"speed", "", Use::hint}, {"container", "nothing is run here", Use::refused}, \
      {"mcp_servers", "nothing is called from here", Use::refused},                                                 \
      {"output_config", object_of(kAnthropicOutputFields), "the form of the answer"}

}  // namespace ingle::server
