// Phi-4-mini: <|tool_call|>[{"name": …, "arguments": …}]<|/tool_call|>, or functools[…] where the prompt asks for it;
// <think>…</think> from the reasoning models. Granite 3 writes the first form without an end.
// Source: the model cards of Phi-4-mini-instruct and -reasoning, Microsoft's Phi cookbook; for functools the template
// of FireFunction v2; the template of Granite 3.3.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {
    {.marker = "<|tool_call|>", .closer = "<|/tool_call|>", .again = "{[", .reader = marked_json},
    {.marker = "functools[", .kept = 1, .reader = marked_json},
    {.marker = "functools{", .kept = 1, .reader = marked_json},
    {.marker = "[", .kept = 1, .at_start = true, .reader = bare_json},
    {.marker = "{", .kept = 1, .at_start = true, .reader = bare_json},
};
constexpr std::string_view visible[] = {"<|tool_call|>", "<|/tool_call|>", "<think>", "</think>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<|tool_call|>") || hints.template_has("functools[")) return 62;
  if (hints.template_has("<|tool|>")) return 50;
  if (!hints.chat_template.empty()) return hints.template_has("<|end|>") && hints.template_has("<|user|>") ? 20 : 0;
  return hints.name_has("phi-") || hints.architecture == "phi3" ? 20 : 0;
}

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "arguments");
}

}  // namespace

extern const Dialect phi_record;
const Dialect phi_record = {
    .name = "phi",
    .families = "Phi 3.5, Phi-4-mini, Granite 3, FireFunction v2",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.first = "<|tool_call|>[",
             .between = ", ",
             .last = "]<|/tool_call|>",
             .call = call,
             .write = arguments_call_text},
};

}  // namespace ingle::assistant
