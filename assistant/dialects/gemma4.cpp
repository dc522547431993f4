// Gemma 4: <|channel>thought…<channel|>, then <|tool_call>call:NAME{key:<|"|>text<|"|>,n:5}<tool_call|>.
// Source: the template of Gemma 4 31B.
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/gemma_calls.h"

namespace ingle::assistant {
namespace {

constexpr std::string_view fence = "<|\"|>";

std::unique_ptr<CallReader> reader(const Tools& tools) {
  return std::make_unique<GemmaCallReader>(tools, fence);
}

// The marks are control tokens, which an answer can't speak of.
constexpr Reasoning reasoning[] = {{"<|channel>thought", "<channel|>", true}};
constexpr Opener openers[] = {{.marker = "<|tool_call>", .closer = "<tool_call|>", .reader = reader}};
constexpr std::string_view visible[] = {"<|tool_call>", "<tool_call|>", "<|\"|>", "<|channel>", "<channel|>"};

// The response to a call follows it in the same turn.
constexpr std::string_view stops[] = {"<|tool_response>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<|tool_call>call:")) return 80;
  return hints.chat_template.empty() && (hints.architecture == "gemma4" || hints.name_has("gemma 4")) ? 30 : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  return gemma_call(writer, tool, fence);
}

}  // namespace

extern const Dialect gemma4_record;
const Dialect gemma4_record = {
    .name = "gemma4",
    .families = "Gemma 4",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .trimmed = " \t\r\n",
    .trims_end = true,
    .visible_special = visible,
    .stops = stops,
    .form = {.before = "<|tool_call>", .after = "<tool_call|>", .call = call},
};

}  // namespace ingle::assistant
