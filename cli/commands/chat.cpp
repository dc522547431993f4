// ingle chat [MODEL]
#include "cli/chat.h"

#include "cli/generation.h"
#include "cli/models.h"

namespace ingle::cli {
namespace {

using base::Status;

Status run(Session& session) {
  INGLE_TRY(const std::string model, model_or_default(session));
  INGLE_TRY(const LoadedModel loaded, load_generating_model(session, model));
  Status status = run_chat(session, loaded);
  report_damaged_copy(session, *loaded.engine);
  return status;
}

constexpr Argument arguments[] = {{.name = "MODEL",
                                   .help = "a model's name, address or path; without one the default is used",
                                   .type = ValueType::model}};
constexpr Option options[] = {{.name = "verbose", .letter = 'v', .help = "timings and counts after each answer"}};
constexpr Example examples[] = {
    {"ingle chat", "With the default model."},
    {"ingle chat smollm2-135m --system \"Answer in rhymes.\"", "With a system prompt."},
};

}  // namespace

extern const Command chat_record;
const Command chat_record{
    .name = "chat",
    .summary = "have a conversation",
    .description =
        "Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands. Lines can be edited, the arrow keys recall "
        "earlier ones. Where standard input is a pipe, each line is a message.",
    .arguments = arguments,
    .options = options,
    .groups = group_talk,
    .examples = examples,
    .order = 11,
    .run = run,
};

}  // namespace ingle::cli
