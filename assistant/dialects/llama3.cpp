// Llama 3.1 to 3.3: the whole reply is {"name": …, "parameters": …}, several of them parted by ";", or a Python list of
// calls; <|python_tag|> before the built-in tools' brave_search.call(query="…"); <function=NAME>{…}</function> where a
// prompt asks for it, and from Functionary 3.1.
// Source: the templates of Llama 3.1, 3.2, 3.3 and Functionary 3.1; Meta's prompt format pages of 3.1 and 3.2.
#include "assistant/dialects/bare_calls.h"
#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/named_calls.h"

namespace ingle::assistant {
namespace {

std::unique_ptr<CallReader> tagged(const Tools& tools) {
  return std::make_unique<NamedCallReader>(tools, NamedForm{.separator = ">"});
}

constexpr Opener openers[] = {
    {.marker = "<|python_tag|>", .again = "{", .between = ";", .reader = marked_json_or_python},
    {.marker = "<function=", .closer = "</function>", .reader = tagged},
    {.marker = "{", .kept = 1, .at_start = true, .again = "{", .between = ";,", .reader = bare_json},
    {.marker = "[", .kept = 1, .at_start = true, .reader = bare_json_or_python},
};
constexpr std::string_view visible[] = {"<|python_tag|>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<|python_tag|>")) return 60;
  if (hints.template_has("<|start_header_id|>")) return hints.template_has("\"parameters\": ") ? 55 : 30;
  if (!hints.chat_template.empty()) return 0;
  return hints.name_has("llama-3") || hints.name_has("llama 3") || hints.name_has("llama3") ? 20 : 0;
}

base::Result<std::string> call(GrammarWriter&, const Tool& tool) {
  return json_call(tool, "parameters");
}

}  // namespace

extern const Dialect llama3_record;
const Dialect llama3_record = {
    .name = "llama3",
    .families = "Llama 3.1, 3.2, 3.3",
    .fits = fits,
    .openers = openers,
    .trimmed = " \t\r\n",
    .trims_end = true,
    .visible_special = visible,
    .form = {.between = "; ", .call = call, .write = parameters_call_text},
};

}  // namespace ingle::assistant
