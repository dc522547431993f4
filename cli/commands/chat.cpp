// ingle chat [MODEL]
#include "cli/chat.h"

#include "cli/generation.h"
#include "cli/kept_chat.h"
#include "cli/models.h"

namespace ingle::cli {
namespace {

using base::Status;

Status run(Session& session) {
  INGLE_TRY(const KeptChat kept, open_kept_chat(session));
  INGLE_TRY(const std::string model, chat_model(session, kept));
  INGLE_TRY(const LoadedModel loaded, load_generating_model(session, model));
  Status status = run_chat(session, loaded, kept);
  report_damaged_copy(session, *loaded.engine);
  return status;
}

constexpr Argument arguments[] = {{.name = "MODEL",
                                   .help = "a model's name, address or path; without one the default is used",
                                   .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "continue",
     .letter = 'C',
     .help = "go on with the latest conversation, of a chat or of the app, by its model unless one is named"},
    {.name = "conversation",
     .type = ValueType::integer,
     .metavar = "ID",
     .help = "go on with this one; 'ingle history' shows the numbers",
     .minimum = 1,
     .maximum = 1LL << 52},
    {.name = "verbose", .letter = 'v', .help = "timings and counts after each answer"},
};
constexpr Example examples[] = {
    {"ingle chat", "With the default model."},
    {"ingle chat smollm2-135m --system \"Answer in rhymes.\"", "With a system prompt."},
    {"ingle chat --continue", "Where the last chat ended, or was cut off."},
    {"ingle chat --temporary", "Nothing of it is kept."},
};

}  // namespace

extern const Command chat_record;
const Command chat_record{
    .name = "chat",
    .summary = "have a conversation",
    .description =
        "Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands. Lines can be edited, the arrow keys recall "
        "earlier ones. Where standard input is a pipe, each line is a message.\n\nConversations are kept, also those "
        "from a "
        "pipe, where the app and 'ingle history' show them while they grow; with --temporary nothing is. /regen and "
        "/undo keep what they replace as a branch. Two programs may go on with one conversation: what each adds is a "
        "branch of its own. 'ingle run' keeps nothing of a single prompt.",
    .arguments = arguments,
    .options = options,
    .groups = group_talk,
    .examples = examples,
    .order = 11,
    .run = run,
};

}  // namespace ingle::cli
