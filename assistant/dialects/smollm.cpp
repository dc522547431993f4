// SmolLM2 and SmolLM3: <tool_call>, as a list in SmolLM2's model card and as single objects in SmolLM3's; SmolLM3 also
// <think>…</think>, and <code> with Python calls for its python_tools.
// Source: the model cards of SmolLM2-1.7B-Instruct and SmolLM3-3B.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {
    {.marker = "<tool_call>", .closer = "</tool_call>", .again = "{[", .reader = marked_json},
    {.marker = "<code>", .closer = "</code>", .again = letters, .reader = python},
    {.marker = "[", .kept = 1, .at_start = true, .reader = bare_json},
    {.marker = "{", .kept = 1, .at_start = true, .again = "{", .reader = bare_json},
};
constexpr std::string_view visible[] = {"<tool_call>", "</tool_call>", "<think>", "</think>", "<code>", "</code>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("SmolLM")) return 65;
  return hints.name_has("smollm") ? 50 : hints.architecture == "smollm3" ? 40 : 0;
}

// The system prompt of SmolLM2-1.7B-Instruct's card: what a call is for, the list in <tools>, the form of the calls.
constexpr std::string_view tool_prompt =
    "You can call functions to do what you are asked for; one question may take several calls. If none of the "
    "functions fits, or the question lacks an argument that is required, say so.\n\n"
    "These are the functions:\n<tools>{tools}</tools>\n\n"
    "Write calls in this format and no other text with them, with arguments of the right types:\n{call}";

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "arguments");
}

}  // namespace

extern const Dialect smollm_record;
const Dialect smollm_record = {
    .name = "smollm",
    .families = "SmolLM2, SmolLM3",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.first = "<tool_call>[",
             .after = "",
             .between = ", ",
             .last = "]</tool_call>",
             .call = call,
             .write = arguments_call_text},
    .tool_prompt = tool_prompt,
};

}  // namespace ingle::assistant
