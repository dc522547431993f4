// The body of /v1/responses: a chat to answer, what the response repeats of its request, and where it is to be kept.
#pragma once

#include <string>
#include <vector>

#include "server/api/chat_answer.h"
#include "server/api/response_input.h"
#include "server/api/route.h"

namespace ingle::server {

struct ResponseRequest {
  ChatJob job;
  base::Json repeated;         ///< members of the response that say what was asked
  Items input;                 ///< what came with this request
  std::vector<Items> history;  ///< the conversation so far, with that
  bool store = true;
};

/// `reader.error()` tells what is wrong.
ResponseRequest read_response_request(Reader& reader, const assistant::ModelService& model, Call& call);

inline constexpr std::string_view kResponseFormats[] = {"text", "json_object", "json_schema"};
inline constexpr std::string_view kResponseEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
inline constexpr std::string_view kTruncations[] = {"auto", "disabled"};
/// What can be included, but comes about nowhere here.
inline constexpr std::string_view kIncluded[] = {
    "reasoning.encrypted_content",    "file_search_call.results",      "web_search_call.results",
    "web_search_call.action.sources", "message.input_image.image_url", "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
};
inline constexpr Type kResponseInput = described(R"({"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1,
  "maxItems": 4096, "items": {"type": "object", "properties": {"type": {"enum": ["message", "function_call",
  "function_call_output", "reasoning"]}}}}]})");
inline constexpr Type kResponseTools = array(R"({"type": "object", "properties": {"type": {"const": "function"},
  "name": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"}, "description": {"type": ["string", "null"]},
  "parameters": {"type": ["object", "null"]}, "strict": {"type": ["boolean", "null"]}},
  "required": ["type", "name"]})",
                                             0, assistant::Tools::max_tools);
inline constexpr Type kResponseToolChoice = described(R"({"anyOf": [{"enum": ["none", "auto", "required"]},
  {"type": "object", "properties": {"type": {"const": "function"}, "name": {"type": "string"}},
  "required": ["type", "name"]}]})");
inline constexpr Field kTextFormatFields[] = {
    {"type", one_of(kResponseFormats), "", Use::required},
    {"name", kText, ""},
    {"description", kText, ""},
    {"schema", kSchema, "of the answer"},
    {"strict", kBoolean, "answers always match the schema"},
};
inline constexpr Field kTextFields[] = {
    {"format", object_of(kTextFormatFields), "the answer has this form"},
    {"verbosity", "", Use::hint},
};
inline constexpr Field kReasoningFields[] = {
    {"effort", one_of(kResponseEfforts),
     "none and minimal: the model does not think first, where its template knows how"},
    {"summary", "", Use::hint},
    {"generate_summary", "", Use::hint},
    {"context", "", Use::hint},
    {"mode", "", Use::hint},
};

/// Fields of /v1/responses and /v1/responses/input_tokens alike, for tables.
#define INGLE_RESPONSE_INPUT_FIELDS                                                                            \
  {"model", kText, "a name of GET /v1/models"},                                                                \
      {"input", kResponseInput, "a text, or items: messages, calls, their results, reasoning", Use::required}, \
      {"instructions", kText, "what the model is told first; not kept for later responses"},                   \
      {"previous_response_id", kText, "the response that this conversation goes on from"},                     \
      {"conversation", "use previous_response_id", Use::refused},                                              \
      {"tools", kResponseTools, "functions that the model may call"},                                          \
      {"tool_choice", kResponseToolChoice, "none, auto, required, or a named function"},                       \
      {"parallel_tool_calls", kBoolean, "whether it may call several at once"},                                \
      {"text", object_of(kTextFields), "the form of the answer"},                                              \
      {"reasoning", object_of(kReasoningFields), "whether the model thinks first"},                            \
      {"truncation", one_of(kTruncations),                                                                     \
       "auto: the oldest turns go where the conversation is too long; else that is an error"}

}  // namespace ingle::server
