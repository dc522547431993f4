// FunctionGemma: <start_function_call>call:NAME{key:<escape>text<escape>,n:5}<end_function_call>; <escape> stands on
// both sides of a string.
// Source: ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices.
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/gemma_calls.h"

namespace ingle::assistant {
namespace {

constexpr std::string_view fence = "<escape>";

std::unique_ptr<CallReader> reader(const Tools& tools) {
  return std::make_unique<GemmaCallReader>(tools, fence);
}

constexpr Opener openers[] = {{.marker = "<start_function_call>", .closer = "<end_function_call>", .reader = reader}};
constexpr std::string_view visible[] = {"<start_function_call>", "<end_function_call>", "<escape>"};
constexpr std::string_view stops[] = {"<start_function_response>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<start_function_call>")) return 80;
  return hints.name_has("functiongemma") ? 45 : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  return gemma_call(writer, tool, fence);
}

}  // namespace

extern const Dialect function_gemma_record;
const Dialect function_gemma_record = {
    .name = "function_gemma",
    .families = "FunctionGemma",
    .fits = fits,
    .openers = openers,
    .trimmed = " \t\r\n",
    .trims_end = true,
    .visible_special = visible,
    .stops = stops,
    .form = {.before = "<start_function_call>", .after = "<end_function_call>", .call = call},
};

}  // namespace ingle::assistant
