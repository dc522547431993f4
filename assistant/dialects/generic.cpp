// For a model of whose habits nothing is known: what a prompt can ask of any model. A reply that is {"name": …,
// "arguments": …}, a list of them or {"tool_calls": […]}, bare or in a ```json fence, or the same in <tool_call>.
// <tool_calls> is Apriel's and MiniMax M1's, <TOOLCALL> Nemotron Nano 2's (their templates).
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {
    {.marker = "<tool_call>", .closer = "</tool_call>", .again = "{[", .reader = marked_json},
    {.marker = "<tool_calls>", .closer = "</tool_calls>", .again = "{[", .reader = marked_json},
    {.marker = "<TOOLCALL>", .closer = "</TOOLCALL>", .again = "{[", .reader = marked_json},
    {.marker = "```json", .at_start = true, .closer = "```", .again = "{", .reader = bare_json},
    {.marker = "{", .kept = 1, .at_start = true, .again = "{", .between = ";,", .reader = bare_json},
    {.marker = "[", .kept = 1, .at_start = true, .reader = bare_json},
};
constexpr std::string_view visible[] = {"<tool_call>", "</tool_call>", "<tool_calls>", "</tool_calls>",
                                        "<TOOLCALL>",  "</TOOLCALL>",  "<think>",      "</think>"};

int fits(const ModelHints&) {
  return 1;
}

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "arguments");
}

}  // namespace

extern const Dialect generic_record;
const Dialect generic_record = {
    .name = "generic",
    .families = "any other",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.between = "\n", .call = call, .write = arguments_call_text},
};

}  // namespace ingle::assistant
