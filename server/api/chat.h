// Messages of a chat, from an API's form to what chat templates take.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assistant/dialects/tools.h"
#include "assistant/inference/model_service.h"
#include "server/api/reader.h"
#include "server/api/turns.h"

namespace ingle::server {

inline constexpr int64_t kMostMessages = 4096;
inline constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool"};
inline constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh"};
inline constexpr std::string_view kFormats[] = {"text", "json_object", "json_schema"};

inline constexpr Field kCalledFunctionFields[] = {
    {"name", kText, "", Use::required},
    {"arguments", described(R"({"type": ["string", "object"]})"), "JSON, as a text or as it is"},
    {"index", "", Use::hint},
    {"parsed_arguments", "", Use::hint},
};
inline constexpr Field kCallFields[] = {
    {"id", kText, ""},
    {"type", kText, ""},
    {"index", "", Use::hint},
    {"function", object_of(kCalledFunctionFields), "", Use::required},
    {"custom", "only functions can be called here", Use::refused},
};
inline constexpr Field kMessageFields[] = {
    {"role", one_of(kRoles), "developer is another name of system", Use::required},
    {"content", described(R"({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object",
      "properties": {"type": {"enum": ["text", "input_text", "output_text"]}, "text": {"type": "string"}},
      "required": ["type", "text"]}}]})"),
     "only a message with calls does without"},
    {"name", "who of several speaks", Use::hint},
    {"tool_calls", array_of(kCallFields), "what the model called"},
    {"tool_call_id", kText, "the call whose result this is"},
    {"tool_name", kText, "the tool whose result this is"},
    {"reasoning_content", kText, "what the model thought"},
    {"thinking", kText, "the same, by Ollama's name"},
    {"refusal", "", Use::hint},
    {"annotations", "", Use::hint},
    {"audio", "there is no audio here", Use::refused},
    {"images", "this model reads text", Use::refused},
    {"function_call", "use tool_calls", Use::refused},
};
inline constexpr Field kJsonSchemaFields[] = {
    {"name", kText, ""},
    {"description", kText, ""},
    {"schema", kSchema, "of the answer", Use::required},
    {"strict", kBoolean, "a schema always holds"},
};
inline constexpr Field kFormatFields[] = {
    {"type", one_of(kFormats), "", Use::required},
    {"json_schema", object_of(kJsonSchemaFields), "for json_schema"},
    {"schema", kSchema, "for json_object"},
};

// Types of fields that several routes have.
inline constexpr Type kMessages = array_of(kMessageFields, 1, kMostMessages);
inline constexpr Type kTools = array(R"({"type": "object", "properties": {"type": {"const": "function"},
  "function": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
  "description": {"type": "string"}, "parameters": {"type": "object"}}, "required": ["name"]}},
  "required": ["type", "function"]})");
inline constexpr Type kToolChoice = described(R"({"anyOf": [{"enum": ["none", "auto", "required"]},
  {"type": "object", "properties": {"type": {"const": "function"}, "function": {"type": "object",
  "properties": {"name": {"type": "string"}}, "required": ["name"]}}, "required": ["type", "function"]}]})");

/// OpenAI's `messages` (kMessages), with what Ollama's have besides. Templates get [{role, content, …}] with contents
/// as strings. `reader.error()` tells what is wrong.
base::Json read_messages(Reader& reader, std::string_view name);

/// OpenAI's content, a string or [{type: "text", text}], as one string.
std::string read_content(Reader& reader, const base::Json& content, const std::string& path);

/// What had to go from a chat for the rest to fit the context.
struct Dropped {
  Overflow policy = Overflow::error;
  size_t messages = 0, tokens = 0;
  base::Json content;                   ///< the messages, until they are summarised
  std::optional<std::string> summary;   ///< what stands for them
  core::GenerationStats summary_stats;  ///< what it took to write
};

/// A chat, ready to be answered.
struct ChatSetup {
  core::ChatRequest chat;
  assistant::Tools tools;
  assistant::GrammarRequest calls;   ///< which tools may or must be called
  bool constrained = false;          ///< the model can't write a call that is none
  bool starts_in_reasoning = false;  ///< the prompt ends inside it
  std::string param = "messages";    ///< the field that they came in
  Overflow overflow = Overflow::error;
  std::optional<Dropped> dropped;

  /// What the model may call.
  const assistant::Tools& offered_tools() const;
};

/// OpenAI's `tools`, `tool_choice` and `parallel_tool_calls`.
void read_tools(Reader& reader, ChatSetup& setup);

/// `chat_template_kwargs`, `reasoning_effort`: whether the model is to think, and the template's other variables.
void read_template_options(Reader& reader, core::ChatRequest& request);

/// What an answer must look like, besides what calls of tools do.
struct AnswerForm {
  std::string expression;                 ///< in GBNF with its extensions, for the answer alone
  std::string grammar;                    ///< a whole grammar for the reply, as the client wrote it
  std::string param = "response_format";  ///< the field that says so
};
/// OpenAI's `response_format` and llama.cpp's `grammar`.
AnswerForm read_answer_form(Reader& reader);
/// The expression of a JSON value of a schema.
std::string json_expression(const base::Json& schema);
/// … and of any object.
std::string any_object_expression();

/// Fills in what depends on the model: the prompt (fit_chat()), the special tokens that mark calls. Returns what is
/// wrong.
std::optional<ApiError> prepare_chat(assistant::ModelService& model, ChatSetup& setup,
                                     assistant::GenerationRequest& request, const AnswerForm& form = {});

}  // namespace ingle::server
