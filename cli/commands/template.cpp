// ingle template MODEL|FILE.jinja < context.json
//
// The JSON object is the template's whole context; the rendered prompt is printed byte for byte.
#include "core/template/template.h"

#include <ctime>

#include "base/files.h"
#include "cli/input.h"
#include "cli/models.h"
#include "cli/templates.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

Status run(Session& session) {
  INGLE_TRY(const std::string source, read_template(session, session.argument(0)));
  INGLE_TRY(const core::ChatTemplate chat_template, core::ChatTemplate::parse(source));
  INGLE_TRY(const std::string text, read_stdin(session, "the context, a JSON object"));
  const auto context = base::parse_json(text);
  if (!context) {
    return Error{ErrorCode::invalid_argument, "the context on standard input is not JSON: " + context.error().message};
  }
  if (!context->is_object()) {
    return Error{ErrorCode::invalid_argument,
                 "the context on standard input is not a JSON object; give one, as in {\"messages\": []}"};
  }
  INGLE_TRY(const std::string prompt, chat_template.render(*context, static_cast<int64_t>(std::time(nullptr))));
  return session.terminal.out_foreign(prompt);
}

constexpr Argument arguments[] = {{.name = "MODEL|FILE.jinja",
                                   .help = "a model, whose own chat template is used, or a file that holds one",
                                   .type = ValueType::model,
                                   .required = true}};
constexpr Example examples[] = {
    {"ingle template smollm2-135m < context.json",
     "With {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true} in "
     "context.json."},
};

}  // namespace

extern const Command template_record;
const Command template_record{
    .name = "template",
    .summary = "render a chat template with the JSON context on standard input",
    .description =
        "The JSON object is the template's whole context: messages, tools, add_generation_prompt, bos_token, "
        "eos_token and any other variable. The prompt is printed byte for byte.",
    .arguments = arguments,
    .examples = examples,
    .order = 51,
    .run = run,
};

}  // namespace ingle::cli
