// Conversations, folders and presets.
#include <algorithm>

#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/retention.h"
#include "assistant/conversations/rows.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr int64_t kKeptDeletions = 1000;
/// With the time as ?1.
constexpr std::string_view kUntouched =
    " FROM conversations WHERE pinned = 0 AND updated < ?1 AND NOT EXISTS (SELECT 1 FROM messages"
    " WHERE conversation = conversations.id AND state = 'writing')";

Status check(const ConversationSettings& settings) {
  INGLE_CHECK(check_text("the title", settings.title, kLongestTitle));
  INGLE_CHECK(check_text("the model's name", settings.model, kLongestName));
  INGLE_CHECK(check_text("the system prompt", settings.system, kLongestSystem));
  if (!settings.parameters.is_object()) return Error{ErrorCode::invalid_argument, "the parameters are no object"};
  return check_text("the parameters", column_text(settings.parameters), kLongestSystem);
}

Status check_folder(Database& database, const std::optional<int64_t>& folder) {
  if (!folder) return {};
  INGLE_TRY(const auto found, database.integer("SELECT 1 FROM folders WHERE id = ?1", {*folder}));
  return found ? Status() : Status(not_found("folder", *folder));
}

std::optional<std::string_view> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

Result<int64_t> delete_all(Database& database, int64_t changed) {
  INGLE_CHECK(database.run("INSERT OR REPLACE INTO deletions SELECT id, ?1 FROM conversations", {changed}));
  INGLE_CHECK(database.run("DELETE FROM conversations"));
  const int64_t count = database.changes();
  INGLE_CHECK(database.run("DELETE FROM attachments"));
  // The indices keep words of what was deleted until they are written anew.
  INGLE_CHECK(database.run("INSERT INTO message_words (message_words) VALUES ('rebuild')"));
  INGLE_CHECK(database.run("INSERT INTO title_words (title_words) VALUES ('rebuild')"));
  return count;
}

Status note_deletion(Database& database, int64_t id, int64_t changed) {
  INGLE_CHECK(database.run("INSERT OR REPLACE INTO deletions VALUES (?1, ?2)", {id, changed}));
  return database.run("DELETE FROM deletions WHERE changed <= ?1", {changed - kKeptDeletions});
}

}  // namespace

Result<Conversation> ConversationStore::create(const ConversationSettings& settings) {
  INGLE_CHECK(check(settings));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Conversation> {
    INGLE_CHECK(check_folder(database, settings.folder));
    const int64_t time = now();
    INGLE_CHECK(database.run(
        "INSERT INTO conversations (title, folder, pinned, model, system, parameters, created, updated, changed)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
        {settings.title, settings.folder, settings.pinned, or_null(settings.model), settings.system,
         column_text(settings.parameters), time, changed}));
    return read_conversation(database, database.last_id());
  });
}

Result<Conversation> ConversationStore::find(int64_t id) {
  return read([id](Database& database) { return read_conversation(database, id); });
}

Result<std::vector<Conversation>> ConversationStore::list(const ListQuery& query) {
  return read([&](Database& database) -> Result<std::vector<Conversation>> {
    std::vector<Conversation> all;
    INGLE_CHECK(database.each(
        std::string(kSelectConversation) + " WHERE (?1 IS NULL OR c.updated < ?1) AND (?2 IS NULL OR c.folder = ?2)"
                                           " ORDER BY c.updated DESC, c.id DESC LIMIT ?3",
        {query.before, query.folder, static_cast<int64_t>(query.limit)}, [&](const Row& row) -> Status {
          INGLE_TRY(Conversation each, conversation_of(row));
          all.push_back(std::move(each));
          return {};
        }));
    return all;
  });
}

Result<Conversation> ConversationStore::update(int64_t id, const std::function<Status(Conversation&)>& edit) {
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Conversation> {
    INGLE_TRY(Conversation now, read_conversation(database, id));
    INGLE_CHECK(edit(now));
    INGLE_CHECK(check(now));
    INGLE_CHECK(check_folder(database, now.folder));
    if (now.leaf) {
      INGLE_TRY(const auto own,
                database.integer("SELECT 1 FROM messages WHERE id = ?1 AND conversation = ?2", {*now.leaf, id}));
      if (!own) return not_found("message", *now.leaf);
    }
    INGLE_CHECK(
        database.run("UPDATE conversations SET title = ?2, folder = ?3, pinned = ?4, model = ?5, system = ?6,"
                     " parameters = ?7, leaf = ?8, changed = ?9 WHERE id = ?1",
                     {id, now.title, now.folder, now.pinned, or_null(now.model), now.system,
                      column_text(now.parameters), now.leaf, changed}));
    return read_conversation(database, id);
  });
}

Status ConversationStore::remove(int64_t id) {
  stop_replies([id](const LiveReply& reply) { return reply.conversation() == id; });
  const Status done = write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    INGLE_CHECK(database.run("DELETE FROM conversations WHERE id = ?1", {id}));
    if (database.changes() == 0) return not_found("conversation", id);
    INGLE_CHECK(note_words(database));
    return note_deletion(database, id, changed);
  });
  if (done.ok()) words_are_due();
  return done;
}

Result<int64_t> ConversationStore::remove_all() {
  stop_replies([](const LiveReply&) { return true; });
  INGLE_TRY(const int64_t count, write(Durability::power_cut, delete_all));
  // What is left of them in free pages and in the log, too.
  const std::lock_guard lock(writer_.mutex);
  INGLE_CHECK(writer_.database.run("VACUUM"));
  INGLE_CHECK(writer_.database.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return count;
}

Result<std::vector<Conversation>> ConversationStore::untouched_since(int64_t time) {
  return read([&](Database& database) -> Result<std::vector<Conversation>> {
    std::vector<Conversation> all;
    INGLE_CHECK(database.each(std::string(kSelectConversation) + " WHERE c.id IN (SELECT id" + std::string(kUntouched) +
                                  ") ORDER BY c.updated DESC, c.id DESC",
                              {time}, [&](const Row& row) -> Status {
                                INGLE_TRY(Conversation each, conversation_of(row));
                                all.push_back(std::move(each));
                                return {};
                              }));
    return all;
  });
}

Result<int64_t> ConversationStore::remove_before(int64_t time) {
  const std::string which(kUntouched);
  INGLE_TRY(const int64_t count,
            write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<int64_t> {
              INGLE_CHECK(database.run("INSERT OR REPLACE INTO deletions SELECT id, ?2" + which, {time, changed}));
              INGLE_CHECK(database.run("DELETE" + which, {time}));
              const int64_t gone = database.changes();
              if (gone > 0) INGLE_CHECK(note_words(database));
              INGLE_CHECK(database.run("DELETE FROM attachments WHERE message IS NULL AND created < ?1",
                                       {now() - int64_t{24} * 3600 * 1000}));
              return gone;
            }));
  if (count == 0) return count;
  for (bool more = true; more;) {
    INGLE_TRY(more, merge_words());
  }
  return count;
}

Result<int64_t> ConversationStore::keep_days() {
  return read([](Database& database) -> Result<int64_t> {
    INGLE_TRY(const auto days, database.integer("SELECT value FROM state WHERE name = 'keep_days'"));
    return std::clamp<int64_t>(days.value_or(kForever), kForever, kLongestKept);
  });
}

Status ConversationStore::set_keep_days(int64_t days) {
  if (days < kForever || days > kLongestKept)
    return Error{ErrorCode::invalid_argument, "conversations are kept for 1 to 36500 days, or forever"};
  return write(Durability::power_cut, [days](Database& database, int64_t) {
    return database.run("INSERT OR REPLACE INTO state VALUES ('keep_days', ?1)", {days});
  });
}

// ---- folders

Result<std::vector<Folder>> ConversationStore::folders() {
  return read([&](Database& database) -> Result<std::vector<Folder>> {
    std::vector<Folder> all;
    INGLE_CHECK(database.each("SELECT id, name FROM folders ORDER BY name COLLATE NOCASE, id", {}, [&](const Row& row) {
      all.push_back({row.integer(0), row.text(1)});
      return Status();
    }));
    return all;
  });
}

namespace {

Status check_name(const std::string& name) {
  if (name.empty()) return Error{ErrorCode::invalid_argument, "a name has at least one character"};
  return check_text("the name", name, kLongestName);
}

/// Tells those who listen that a list has changed.
Status touch_list(Database& database, std::string_view list, int64_t changed) {
  return database.run("UPDATE state SET value = ?2 WHERE name = ?1", {list, changed});
}

}  // namespace

Result<Folder> ConversationStore::add_folder(const std::string& name) {
  INGLE_CHECK(check_name(name));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Folder> {
    INGLE_TRY(const auto count, database.integer("SELECT count(*) FROM folders"));
    if (count.value_or(0) >= kMostFolders) return Error{ErrorCode::limit_exceeded, "there are 1000 folders already"};
    INGLE_CHECK(database.run("INSERT INTO folders (name) VALUES (?1)", {name}));
    Folder made{database.last_id(), name};
    INGLE_CHECK(touch_list(database, "folders", changed));
    return made;
  });
}

Result<Folder> ConversationStore::rename_folder(int64_t id, const std::string& name) {
  INGLE_CHECK(check_name(name));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Folder> {
    INGLE_CHECK(database.run("UPDATE folders SET name = ?2 WHERE id = ?1", {id, name}));
    if (database.changes() == 0) return not_found("folder", id);
    INGLE_CHECK(touch_list(database, "folders", changed));
    return Folder{id, name};
  });
}

Status ConversationStore::remove_folder(int64_t id) {
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    INGLE_CHECK(database.run("UPDATE conversations SET folder = NULL, changed = ?2 WHERE folder = ?1", {id, changed}));
    INGLE_CHECK(database.run("DELETE FROM folders WHERE id = ?1", {id}));
    if (database.changes() == 0) return not_found("folder", id);
    return touch_list(database, "folders", changed);
  });
}

// ---- presets

Result<std::vector<Preset>> ConversationStore::presets() {
  return read([&](Database& database) -> Result<std::vector<Preset>> {
    std::vector<Preset> all;
    INGLE_CHECK(database.each("SELECT id, name, system, parameters FROM presets ORDER BY name COLLATE NOCASE, id", {},
                              [&](const Row& row) -> Status {
                                Preset preset{row.integer(0), row.text(1), row.text(2)};
                                INGLE_TRY(preset.parameters, json_of(row, 3));
                                all.push_back(std::move(preset));
                                return {};
                              }));
    return all;
  });
}

namespace {

Status check(const Preset& preset) {
  INGLE_CHECK(check_name(preset.name));
  ConversationSettings settings;
  settings.system = preset.system;
  settings.parameters = preset.parameters;
  return check(settings);
}

}  // namespace

Result<Preset> ConversationStore::add_preset(const Preset& preset) {
  INGLE_CHECK(check(preset));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Preset> {
    INGLE_TRY(const auto count, database.integer("SELECT count(*) FROM presets"));
    if (count.value_or(0) >= kMostPresets) return Error{ErrorCode::limit_exceeded, "there are 1000 presets already"};
    INGLE_CHECK(database.run("INSERT INTO presets (name, system, parameters) VALUES (?1, ?2, ?3)",
                             {preset.name, preset.system, column_text(preset.parameters)}));
    Preset made = preset;
    made.id = database.last_id();
    INGLE_CHECK(touch_list(database, "presets", changed));
    return made;
  });
}

Result<Preset> ConversationStore::update_preset(const Preset& preset) {
  INGLE_CHECK(check(preset));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Preset> {
    INGLE_CHECK(database.run("UPDATE presets SET name = ?2, system = ?3, parameters = ?4 WHERE id = ?1",
                             {preset.id, preset.name, preset.system, column_text(preset.parameters)}));
    if (database.changes() == 0) return not_found("preset", preset.id);
    INGLE_CHECK(touch_list(database, "presets", changed));
    return preset;
  });
}

Status ConversationStore::remove_preset(int64_t id) {
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    INGLE_CHECK(database.run("DELETE FROM presets WHERE id = ?1", {id}));
    if (database.changes() == 0) return not_found("preset", id);
    return touch_list(database, "presets", changed);
  });
}

}  // namespace ingle::assistant
