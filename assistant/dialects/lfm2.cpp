// LFM2: <|tool_call_start|>[name(key="value", …), …]<|tool_call_end|>, Python's calls, with text after them or before;
// JSON between the same marks where the system prompt asks for it; <think>…</think> from LFM2.5's thinking models.
// Source: the model card of LFM2-8B-A1B, the template of LFM2.5-8B-A1B.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/python_calls.h"

namespace ingle::assistant {
namespace {

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {
    {.marker = "<|tool_call_start|>", .closer = "<|tool_call_end|>", .reader = marked_json_or_python}};
constexpr std::string_view visible[] = {"<|tool_call_start|>", "<|tool_call_end|>", "<think>", "</think>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<|tool_call_start|>")) return 75;
  // Some of the templates write no calls, but say how they list the tools.
  if (hints.template_has("List of tools: ")) return 60;
  return hints.chat_template.empty() && (hints.architecture.starts_with("lfm2") || hints.name_has("lfm2")) ? 30 : 0;
}

}  // namespace

extern const Dialect lfm2_record;
const Dialect lfm2_record = {
    .name = "lfm2",
    .families = "LFM2, LFM2.5",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.first = "<|tool_call_start|>[",
             .between = ", ",
             .last = "]<|tool_call_end|>",
             .call = python_call,
             .write = python_call_text},
};

}  // namespace ingle::assistant
