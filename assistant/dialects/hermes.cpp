// Hermes and Qwen: <think>…</think>, then any number of <tool_call>{"name": …, "arguments": …}</tool_call>.
// Source: the templates of Hermes 2 Pro and 3, Qwen 2.5, Qwen 3, QwQ, Granite 4, MiMo.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
// Small models, Qwen2.5-Coder above all, leave the marks out.
constexpr Opener openers[] = {
    {.marker = "<tool_call>", .closer = "</tool_call>", .again = "{[", .reader = marked_json},
    {.marker = "```json", .at_start = true, .closer = "```", .again = "{", .reader = bare_json},
    {.marker = "{", .kept = 1, .at_start = true, .again = "{", .reader = bare_json}};
constexpr std::string_view visible[] = {"<tool_call>", "</tool_call>", "<think>", "</think>"};

int fits(const ModelHints& hints) {
  // Others write other things between the same tags.
  const bool other = hints.template_has("<arg_key>") || hints.template_has("<function=");
  if (hints.template_has("<tool_call>") && !other) return 60;
  if (!hints.chat_template.empty()) return hints.template_has("<|im_start|>") ? 5 : 0;
  if (hints.name_has("hermes") || hints.name_has("qwen")) return 20;
  return hints.architecture.starts_with("qwen") ? 15 : 0;
}

// As in the templates: the list in <tools>, then the form of a call. Needed for the ChatML templates that have none.
constexpr std::string_view tool_prompt =
    "# Tools\n\nYou can call functions to help the user. Their signatures:\n<tools>\n{tools}\n</tools>\n\n"
    "For each call, write its name and arguments as a JSON object within <tool_call></tool_call>:\n{call}";

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "arguments");
}

}  // namespace

extern const Dialect hermes_record;
const Dialect hermes_record = {
    .name = "hermes",
    .families = "Qwen 2.5, Qwen 3, QwQ, Hermes, Granite 4",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.before = "<tool_call>\n",
             .after = "\n</tool_call>",
             .between = "\n",
             .bare = true,
             .call = call,
             .write = arguments_call_text},
    .tool_prompt = tool_prompt,
};

}  // namespace ingle::assistant
