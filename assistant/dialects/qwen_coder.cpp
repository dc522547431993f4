// Qwen3-Coder and Qwen 3.5: <tool_call><function=NAME><parameter=KEY>value</parameter>…</function></tool_call>, where
// the models forget the outer tag now and then; <think>…</think> from Qwen 3.5.
// Source: the templates of Qwen3-Coder, Qwen3.5-4B, Nemotron 3 Nano.
#include "assistant/dialects/dialect.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/xml_calls.h"

namespace ingle::assistant {
namespace {

std::unique_ptr<CallReader> outer(const Tools& tools) {
  return std::make_unique<XmlCallReader>(tools, false);
}
std::unique_ptr<CallReader> inner(const Tools& tools) {
  return std::make_unique<XmlCallReader>(tools, true);
}

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {
    {.marker = "<tool_call>", .closer = "</tool_call>", .reader = outer},
    {.marker = "<function=", .closer = "</tool_call>", .reader = inner},
};
constexpr std::string_view visible[] = {"<tool_call>", "</tool_call>", "<think>", "</think>"};

int fits(const ModelHints& hints) {
  if (hints.template_has("<tool_call>") && hints.template_has("<function=") && hints.template_has("<parameter=")) {
    return 70;
  }
  return hints.chat_template.empty() && (hints.name_has("qwen3-coder") || hints.name_has("qwen3 coder")) ? 30 : 0;
}

bool is_key(std::string_view key) {
  return !key.empty() && key.find_first_of("<>\n") == key.npos;
}

/// The value of a parameter, and the line break and the tag after it.
std::string value(GrammarWriter& writer, const base::Json& schema) {
  static constexpr std::string_view end = "\n</parameter>\n";
  // The line break before the tag is part of the text that until takes: an empty value may be without one.
  const bool text = !schema.empty() && schema_allows(schema, "string");
  if (const auto choices = schema.find("enum"); text && choices != schema.end()) {
    std::vector<std::string> alternatives;
    for (const base::Json& choice : *choices) {
      alternatives.push_back(GrammarWriter::literal(
          choice.is_string() ? choice.get<std::string>()
                             : choice.dump(-1, ' ', false, base::Json::error_handler_t::replace)));
    }
    return any_of(alternatives) + " " + GrammarWriter::literal(end);
  }
  if (text || schema.empty()) return GrammarWriter::until("</parameter>") + " " + GrammarWriter::literal("\n");
  return writer.json(schema) + " " + GrammarWriter::literal(end);
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  std::string body = GrammarWriter::literal("<function=" + tool.name + ">\n");
  for (const auto& [key, schema] : tool.parameters.at("properties").items()) {
    const bool needed = is_required(tool.parameters, key);
    if (!is_key(key)) {
      if (!needed) continue;
      return base::Error{base::ErrorCode::unsupported,
                         "a parameter of tool " + tool.name + " has a name that this model's calls can't hold"};
    }
    const std::string one =
        GrammarWriter::literal("<parameter=" + key + ">\n") + " " + value(writer, parameter_schema(tool, key));
    body += needed ? " " + one : " ( " + one + " )?";
  }
  return body + " " + GrammarWriter::literal("</function>");
}

}  // namespace

extern const Dialect qwen_coder_record;
const Dialect qwen_coder_record = {
    .name = "qwen_coder",
    .families = "Qwen3-Coder, Qwen 3.5, Nemotron 3 Nano",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.before = "<tool_call>\n", .after = "\n</tool_call>", .between = "\n", .call = call},
};

}  // namespace ingle::assistant
