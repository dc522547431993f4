// Mistral up to its tokenizer v7: [TOOL_CALLS] and one list of {"name": …, "arguments": …, "id": nine characters}.
// Source: the template of Mistral Nemo 2407; mistral-common's tokenizers v2 to v7.
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/mistral.h"

namespace ingle::assistant {
namespace {

int fits(const ModelHints& hints) {
  if (hints.template_has("[TOOL_CALLS]")) return 65;
  if (!hints.chat_template.empty()) return hints.template_has("[INST]") ? 20 : 0;
  return hints.name_has("mistral") || hints.name_has("mixtral") ? 20 : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  // The template refuses a call whose id has another length.
  std::string id;
  for (int i = 0; i < 9; ++i) id += " [a-zA-Z0-9]";
  return GrammarWriter::literal("{\"name\": \"" + tool.name + "\", \"arguments\": ") + " " +
         writer.json(tool.parameters) + " " + GrammarWriter::literal(", \"id\": \"") + id + " " +
         GrammarWriter::literal("\"}");
}

std::string write(std::string_view name, const base::Json& arguments) {
  std::string text = arguments_call_text(name, arguments);
  text.insert(text.size() - 1, ", \"id\": \"000000000\"");
  return text;
}

}  // namespace

extern const Dialect mistral_list_record;
const Dialect mistral_list_record = {
    .name = "mistral_list",
    .families = "Mistral 7B v0.3, Nemo, Small up to 3.1, Large, Mixtral",
    .fits = fits,
    .reasoning = mistral_reasoning(),
    .openers = mistral_openers(),
    .visible_special = mistral_visible(),
    .form = {.first = "[TOOL_CALLS][", .between = ", ", .last = "]", .call = call, .write = write},
};

}  // namespace ingle::assistant
