// DeepSeek V3, R1 and its distilled models: <think>…</think>; calls of the form function<｜tool▁sep｜>NAME with the
// arguments in a fence. R1's templates open the reasoning in the prompt.
// Source: the templates of DeepSeek V3, R1 and R1-Distill-Qwen-32B.
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/deepseek_calls.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"

namespace ingle::assistant {
namespace {

int fits(const ModelHints& hints) {
  if (hints.template_has("<｜tool▁calls▁begin｜>")) return 70;
  if (!hints.chat_template.empty()) return hints.template_has("<｜Assistant｜>") ? 20 : 0;
  return hints.name_has("deepseek") ? 20 : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  return GrammarWriter::literal(tool.name) + " " + GrammarWriter::literal("\n```json\n") + " " +
         writer.json(tool.parameters);
}

std::string write(std::string_view name, const base::Json& arguments) {
  return std::string(name) + "\n```json\n" + json_text(arguments);
}

}  // namespace

extern const Dialect deepseek_record;
const Dialect deepseek_record = {
    .name = "deepseek",
    .families = "DeepSeek V3, R1, R1-Distill",
    .fits = fits,
    .reasoning = deepseek_reasoning(),
    .openers = deepseek_openers(),
    .visible_special = deepseek_visible(),
    .form = {.first = "<｜tool▁calls▁begin｜>",
             .before = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
             .after = "\n```<｜tool▁call▁end｜>",
             .between = "\n",
             .last = "<｜tool▁calls▁end｜>",
             .call = call,
             .write = write},
};

}  // namespace ingle::assistant
