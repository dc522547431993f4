// Mistral since its tokenizer v11: [THINK]…[/THINK], then [TOOL_CALLS]NAME[ARGS]{…} for each call, between them
// [CALL_ID]ID in v11.
// Source: the templates of Devstral Small 2507 and Ministral 3; mistral-common's tokenizers v11 and v13.
#include "assistant/dialects/mistral.h"

#include "assistant/dialects/call_writer.h"
#include "assistant/dialects/grammar.h"
#include "assistant/dialects/named_calls.h"

namespace ingle::assistant {
namespace {

/// After the mark stands a name, or else the list of the older models.
class MistralReader : public CallReader {
 public:
  explicit MistralReader(const Tools& tools) : CallReader(tools) {}

  Take take(char c, CallSink& sink) override {
    if (chosen_) return chosen_->take(c, sink);
    if (is_space(c)) return Take::more;
    if (c == '[' || c == '{') {
      chosen_ = std::make_unique<JsonCallReader>(tools(), false);
    } else {
      chosen_ = std::make_unique<NamedCallReader>(
          tools(), NamedForm{.separator = "[ARGS]", .id_mark = "[CALL_ID]", .optional_separator = true});
    }
    return chosen_->take(c, sink);
  }

 private:
  std::unique_ptr<CallReader> chosen_;
};

std::unique_ptr<CallReader> reader(const Tools& tools) {
  return std::make_unique<MistralReader>(tools);
}

// The marks are control tokens, which an answer can't speak of.
constexpr Reasoning reasoning[] = {{"[THINK]", "[/THINK]", true}};
constexpr Opener openers[] = {{.marker = "[TOOL_CALLS]", .reader = reader}};
constexpr std::string_view visible[] = {"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]"};

int fits(const ModelHints& hints) {
  return hints.template_has("[TOOL_CALLS]") && hints.template_has("[ARGS]") ? 70
         : hints.template_has("[THINK]")                                    ? 40
                                                                            : 0;
}

base::Result<std::string> call(GrammarWriter& writer, const Tool& tool) {
  return GrammarWriter::literal(tool.name) + " " + GrammarWriter::literal("[ARGS]") + " " +
         writer.json(tool.parameters);
}

std::string write(std::string_view name, const base::Json& arguments) {
  return std::string(name) + "[ARGS]" + json_text(arguments);
}

}  // namespace

std::span<const Opener> mistral_openers() {
  return openers;
}
std::span<const Reasoning> mistral_reasoning() {
  return reasoning;
}
std::span<const std::string_view> mistral_visible() {
  return visible;
}

extern const Dialect mistral_record;
const Dialect mistral_record = {
    .name = "mistral",
    .families = "Mistral Small 3.2, Devstral, Magistral, Ministral 3",
    .fits = fits,
    .reasoning = reasoning,
    .openers = openers,
    .visible_special = visible,
    .form = {.before = "[TOOL_CALLS]", .call = call, .write = write},
};

}  // namespace ingle::assistant
