// DeepSeek V3.1: <think>…</think>; calls of the form NAME<｜tool▁sep｜>{…}.
// Source: the template of DeepSeek V3.1.
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/deepseek_calls.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

int fits(const ModelHints& hints) {
  const bool fenced = hints.template_has("```json");
  return hints.template_has("<｜tool▁calls▁begin｜>") && !fenced ? 75 : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  return GrammarWriter::literal(tool.name) + " " + GrammarWriter::literal("<｜tool▁sep｜>") + " " +
         writer.json(tool.parameters);
}

std::string write(std::string_view name, const base::Json& arguments) {
  return std::string(name) + "<｜tool▁sep｜>" + json_text(arguments);
}

}  // namespace

extern const Dialect deepseek_v31_record;
const Dialect deepseek_v31_record = {
    .name = "deepseek_v31",
    .families = "DeepSeek V3.1",
    .fits = fits,
    .reasoning = deepseek_reasoning(),
    .openers = deepseek_openers(),
    .visible_special = deepseek_visible(),
    .form = {.first = "<｜tool▁calls▁begin｜>",
             .before = "<｜tool▁call▁begin｜>",
             .after = "<｜tool▁call▁end｜>",
             .between = "",
             .last = "<｜tool▁calls▁end｜>",
             .call = call,
             .write = write},
};

}  // namespace ingle::assistant
