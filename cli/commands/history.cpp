// ingle history ACTION: conversations that are kept.
#include "cli/history.h"

#include <algorithm>
#include <ctime>

#include "assistant/conversations/conversations.h"
#include "assistant/conversations/interchange.h"
#include "assistant/conversations/retention.h"
#include "base/files.h"
#include "cli/input.h"

namespace ingle::cli {
namespace {

using assistant::Conversation;
using assistant::ConversationStore;
using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

std::string date(int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm local = {};
  localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local);
  return text;
}

Result<int64_t> read_id(const Session& session) {
  const auto id = parse_integer(session.argument(1));
  if (id && *id > 0) return *id;
  return Error{ErrorCode::invalid_argument, "history " + session.argument(0) +
                                                " needs the number of a conversation; 'ingle history list' shows them"};
}

Result<std::filesystem::path> read_path(const Session& session) {
  if (session.argument(1).empty())
    return Error{ErrorCode::invalid_argument, "history " + session.argument(0) + " needs the name of a file"};
  return expand_home(session.argument(1), session.environment);
}

Json to_json(const std::vector<Conversation>& all) {
  Json json = Json::array();
  for (const Conversation& each : all)
    json.push_back({{"id", each.id}, {"title", each.title}, {"messages", each.size}, {"updated", each.updated}});
  return json;
}

std::string to_text(const std::vector<Conversation>& all) {
  std::string out;
  for (const Conversation& each : all)
    out += pad(std::to_string(each.id), 6) + "  " + date(each.updated) + "  " + pad(std::to_string(each.size), 5) +
           "  " + (each.title.empty() ? "(untitled)" : each.title) + "\n";
  return out.empty() ? "no conversations\n" : out;
}

Status list(Session& session, ConversationStore& store) {
  INGLE_TRY(const auto all,
            store.list({.limit = static_cast<size_t>(session.values.integer("limit")), .before = {}, .folder = {}}));
  return session.json() ? session.out_json(to_json(all)) : session.terminal.out_foreign(to_text(all));
}

Status search(Session& session, ConversationStore& store) {
  std::string words;
  for (size_t i = 1; i < session.arguments.size(); ++i) words += (i > 1 ? " " : "") + session.arguments[i];
  INGLE_TRY(const auto found, store.search(words, static_cast<size_t>(session.values.integer("limit"))));
  Json json = Json::array();
  std::string out;
  for (const assistant::Found& each : found) {
    std::string snippet;
    for (const assistant::Found::Part& part : each.snippet) snippet += part.text;
    std::ranges::replace(snippet, '\n', ' ');
    json.push_back({{"id", each.conversation},
                    {"title", each.title},
                    {"message", each.message ? Json(*each.message) : Json()},
                    {"text", snippet}});
    out += pad(std::to_string(each.conversation), 6) + "  " + each.title + "\n        " + snippet + "\n";
  }
  if (session.json()) return session.out_json(json);
  return session.terminal.out_foreign(out.empty() ? "nothing found\n" : out);
}

/// To --output, or standard output.
Status write_export(Session& session, ConversationStore& store, assistant::ExportFormat format,
                    std::optional<int64_t> one) {
  const std::string path = session.values.text("output");
  std::string text;
  INGLE_CHECK(export_conversations(store, format, one, [&](std::string_view piece) -> Status {
    if (path.empty()) return session.terminal.out_foreign(piece);
    text += piece;
    return {};
  }));
  if (path.empty()) return {};
  return base::write_file_atomic(expand_home(path, session.environment), text, base::Readers::owner);
}

Status show(Session& session, ConversationStore& store) {
  INGLE_TRY(const int64_t id, read_id(session));
  return write_export(session, store,
                      session.json() ? assistant::ExportFormat::json : assistant::ExportFormat::markdown, id);
}

Status write_all(Session& session, ConversationStore& store) {
  const bool markdown = session.values.text("format") == "markdown";
  return write_export(session, store, markdown ? assistant::ExportFormat::markdown : assistant::ExportFormat::json,
                      std::nullopt);
}

Status read_in(Session& session, ConversationStore& store) {
  INGLE_TRY(const auto path, read_path(session));
  INGLE_TRY(const std::string text, base::read_file(path, assistant::kLargestImport));
  INGLE_TRY(const assistant::ImportCount count, import_conversations(store, text));
  for (const std::string& warning : count.warnings) session.terminal.notice("ingle: " + warning);
  if (session.json())
    return session.out_json({{"imported", count.imported}, {"skipped", count.skipped}, {"warnings", count.warnings}});
  return session.terminal.out(std::to_string(count.imported) + " conversations were read, " +
                              std::to_string(count.skipped) + " were there already\n");
}

Status remove(Session& session, ConversationStore& store) {
  int64_t count = 1;
  if (session.values.flag("all")) {
    if (!session.argument(1).empty())
      return Error{ErrorCode::invalid_argument, "--all deletes all conversations; leave the number out"};
    INGLE_TRY(count, store.remove_all());
  } else {
    INGLE_TRY(const int64_t id, read_id(session));
    INGLE_CHECK(store.remove(id));
  }
  return session.json() ? session.out_json({{"deleted", count}})
                        : session.terminal.out("deleted " + std::to_string(count) + "\n");
}

Status prune(Session& session, ConversationStore& store) {
  const auto days = assistant::parse_retention(session.values.text("older-than"));
  if (!days || *days == assistant::kForever)
    return Error{ErrorCode::invalid_argument,
                 "history prune needs --older-than AGE, as in 30d, 8w, 6m or 1y: those that nobody touched for so long "
                 "are deleted"};
  const int64_t now = static_cast<int64_t>(std::time(nullptr)) * 1000;
  const int64_t before = assistant::too_old_before(*days, now);
  if (session.values.flag("dry-run")) {
    INGLE_TRY(const auto old, store.untouched_since(before));
    return session.json() ? session.out_json({{"would_delete", to_json(old)}})
                          : session.terminal.out_foreign(to_text(old));
  }
  INGLE_TRY(const int64_t count, store.remove_before(before));
  return session.json() ? session.out_json({{"deleted", count}})
                        : session.terminal.out("deleted " + std::to_string(count) + "\n");
}

Status back_up(Session& session, ConversationStore& store) {
  INGLE_TRY(const auto path, read_path(session));
  std::error_code failure;
  if (std::filesystem::exists(path, failure))
    return Error{ErrorCode::invalid_argument, path.string() + " is there already; choose another name"};
  INGLE_CHECK(store.back_up(path));
  return session.json() ? session.out_json({{"path", path.string()}}) : session.terminal.out(path.string() + "\n");
}

/// Before the store is opened: nobody may use it.
Status restore(Session& session) {
  INGLE_TRY(const auto path, read_path(session));
  INGLE_TRY(const auto before, ConversationStore::restore(path, history_file(session)));
  if (!before.empty()) session.terminal.notice("ingle: what was there before is in " + before.string());
  return session.json() ? session.out_json({{"restored", path.string()}, {"before", before.string()}})
                        : session.terminal.out("restored from " + path.string() + "\n");
}

Status check_age(std::string_view text) {
  const auto days = assistant::parse_retention(text);
  return days ? Status() : Status(days.error());
}

struct Action {
  std::string_view name;
  Status (*run)(Session& session, ConversationStore& store);
};
constexpr Action actions[] = {{"list", list},      {"search", search}, {"show", show},   {"export", write_all},
                              {"import", read_in}, {"delete", remove}, {"prune", prune}, {"backup", back_up}};

Status run(Session& session) {
  const std::string action = session.argument(0).empty() ? "list" : session.argument(0);
  if (action == "restore") return restore(session);
  INGLE_TRY(const auto conversations, assistant::Conversations::open(history_file(session)));
  ConversationStore& store = conversations->kept();
  for (const std::string& notice : store.notices()) session.terminal.notice("ingle: " + notice);
  for (const Action& each : actions)
    if (each.name == action) return each.run(session, store);
  return Error{ErrorCode::internal, "no such action"};  // the parser has refused it
}

constexpr Argument arguments[] = {
    {.name = "ACTION",
     .help = "what to do: list (where nothing is said), search, show, export, import, delete, prune, backup or restore",
     .type = ValueType::choice,
     .choices = "list search show export import delete prune backup restore"},
    {.name = "ARGUMENT",
     .help = "words to find, a conversation's number, or a file",
     .type = ValueType::text,
     .repeatable = true},
};
constexpr Option options[] = {
    {.name = "all", .help = "with delete: all conversations, and every trace of them in the file"},
    {.name = "older-than",
     .type = ValueType::text,
     .metavar = "AGE",
     .help = "with prune: delete those that nobody touched for so long, but pinned ones: 30d, 8w, 6m, 1y",
     .check = check_age},
    {.name = "dry-run", .help = "with prune: only list them"},
    {.name = "format",
     .type = ValueType::choice,
     .metavar = "FORMAT",
     .help = "with export: json, which can be read back, or markdown",
     .fallback = "json",
     .choices = "json markdown"},
    {.name = "output",
     .letter = 'o',
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "with export and show: where to",
     .fallback_note = "standard output"},
    {.name = "limit",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "with list and search: at most so many",
     .fallback = "50",
     .minimum = 1,
     .maximum = 1000000},
    json_option,
};
constexpr Example examples[] = {
    {"ingle history", "The latest conversations, with their numbers."},
    {"ingle history search hash table", "Those that have both words."},
    {"ingle history import conversations.json", "Reads what ChatGPT, Open WebUI or Ingle exported."},
    {"ingle history prune --older-than 6m --dry-run", "What half a year without a change would delete."},
    {"ingle history backup ~/ingle-backup.db", "A copy of everything; 'restore' takes it back."},
};

}  // namespace

extern const Command history_record;
const Command history_record{
    .name = "history",
    .summary = "list, search, export, import and delete conversations",
    .description =
        "Conversations of the app and of chats are kept in one file that you alone can read. A server that runs sees "
        "at once what "
        "changes here. 'restore' puts a backup in the file's place, which no server may use meanwhile ('ingle stop'); "
        "the file that was there is kept beside it.\n\n'prune' deletes those that nobody touched for a while, except "
        "pinned ones and those in which a reply is being written. A server does so by itself where the app's settings "
        "or --keep-conversations say so.",
    .arguments = arguments,
    .options = options,
    .groups = group_general,
    .examples = examples,
    .order = 12,
    .run = run,
};

}  // namespace ingle::cli
