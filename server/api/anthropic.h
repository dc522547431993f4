// Anthropic's messages, as chat templates take them.
#pragma once

#include "server/api/chat.h"

namespace ingle::server {

/// `system`, `messages`, `tools`, `tool_choice`, `thinking`: text, thinking, tool_use and tool_result blocks.
ChatSetup read_anthropic_chat(Reader& reader);

/// `output_config`: its format.
AnswerForm read_output_config(Reader& reader);

/// Fields of /v1/messages and /v1/messages/count_tokens alike, for tables.
#define INGLE_ANTHROPIC_FIELDS                                                                                      \
  {"model", "a name of GET /v1/models"}, {"messages", "[{role, content}], texts or blocks"},                        \
      {"system", "what the model is told first"}, {"tools", "functions that the model may call"},                   \
      {"tool_choice", "auto, any, none or a named tool"}, {"thinking", "whether the model thinks first"},           \
      {"cache_control", "", Use::hint}, {"metadata", "", Use::hint}, {"service_tier", "", Use::hint},               \
      {"inference_geo", "", Use::hint}, {"user_profile_id", "", Use::hint}, {"workspace_id", "", Use::hint},        \
      {"diagnostics", "", Use::hint}, {"speed", "", Use::hint}, {"container", "nothing is run here", Use::refused}, \
      {"mcp_servers", "nothing is called from here", Use::refused},                                                 \
      {"output_config", "{format: {type: \"json_schema\", schema}}: the answer then has that form"}

}  // namespace ingle::server
