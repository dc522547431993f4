// Gemma 2 and 3, which have no marks of their own for calls: what Google's documentation prompts for. A reply that is
// {"name": …, "parameters": …}, or [name(key=value, …), …], or a ```tool_code fence with Python calls; also the JSON
// in a ```json or ```tool_call fence.
// Source: ai.google.dev/gemma/docs/capabilities/function-calling; the template of Gemma 3 for the trimming.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr Opener openers[] = {
    {.marker = "```tool_code", .closer = "```", .again = letters, .reader = marked_json_or_python},
    {.marker = "```tool_call", .closer = "```", .again = "{", .reader = marked_json},
    {.marker = "```json", .at_start = true, .closer = "```", .again = "{", .reader = bare_json},
    {.marker = "{", .kept = 1, .at_start = true, .again = "{", .reader = bare_json},
    {.marker = "[", .kept = 1, .at_start = true, .reader = bare_json_or_python},
};

int fits(const ModelHints& hints) {
  if (hints.template_has("<start_of_turn>")) return 40;
  if (!hints.chat_template.empty()) return 0;
  return hints.architecture.starts_with("gemma") || hints.name_has("gemma") ? 20 : 0;
}

// As on Google's page: the form of a call and that nothing else goes with it, then the list.
constexpr std::string_view tool_prompt =
    "You can use functions. To call one, write it in this format, with the function's name and a dictionary of its "
    "arguments' names and values:\n{call}\nWrite no other text in a reply that calls a function. The functions:\n"
    "{tools}";

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "parameters");
}

}  // namespace

extern const Dialect gemma_record;
const Dialect gemma_record = {
    .name = "gemma",
    .families = "Gemma 2, Gemma 3",
    .fits = fits,
    .openers = openers,
    .trimmed = " \t\r\n",
    .trims_end = true,
    .form = {.between = "\n", .call = call, .write = parameters_call_text},
    .tool_prompt = tool_prompt,
};

}  // namespace ingle::assistant
