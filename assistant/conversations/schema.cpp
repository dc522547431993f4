#include "assistant/conversations/schema.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "assistant/conversations/words.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int64_t kApplication = 0x496e676c;  // "Ingl", in the file's header

// Each entry takes a file from the version that is its index to the next one. Entries never change once they were in a
// release.
constexpr auto kSteps = std::to_array<const char*>({
    // Messages form a tree by `parent`. Times are milliseconds since 1970. `changed` is the value of the counter of
    // that
    // name after the last change: who knows a state can ask what came later. A reply in progress grows by `pieces`,
    // which become its content when it ends. Only then is it found by search.
    R"(
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('changed', 0), ('folders', 0), ('presets', 0);
CREATE TABLE folders (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE presets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, system TEXT NOT NULL, parameters TEXT NOT NULL);
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  folder INTEGER REFERENCES folders ON DELETE SET NULL,
  pinned INTEGER NOT NULL DEFAULT 0,
  model TEXT,
  system TEXT NOT NULL DEFAULT '',
  parameters TEXT NOT NULL DEFAULT '{}',
  leaf INTEGER,
  origin TEXT UNIQUE,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  pruned INTEGER NOT NULL DEFAULT 0);
CREATE INDEX conversations_updated ON conversations (updated);
CREATE INDEX conversations_changed ON conversations (changed);
CREATE INDEX conversations_folder ON conversations (folder);
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
  parent INTEGER,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  reasoning TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  error TEXT,
  model TEXT,
  report TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  changed INTEGER NOT NULL);
CREATE INDEX messages_conversation ON messages (conversation, changed);
CREATE INDEX messages_parent ON messages (parent);
CREATE INDEX messages_writing ON messages (conversation) WHERE state = 'writing';
CREATE TABLE pieces (
  message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
  number INTEGER NOT NULL,
  content TEXT NOT NULL,
  reasoning TEXT NOT NULL,
  PRIMARY KEY (message, number)) WITHOUT ROWID;
CREATE TABLE attachments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message INTEGER REFERENCES messages ON DELETE CASCADE,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  text TEXT NOT NULL,
  characters INTEGER NOT NULL,
  created INTEGER NOT NULL);
CREATE INDEX attachments_message ON attachments (message);
CREATE TABLE deletions (conversation INTEGER PRIMARY KEY, changed INTEGER NOT NULL);
CREATE VIRTUAL TABLE message_words USING fts5 (
  content, content = 'messages', content_rowid = 'id', tokenize = 'ingle_words');
CREATE VIRTUAL TABLE title_words USING fts5 (
  title, content = 'conversations', content_rowid = 'id', tokenize = 'ingle_words');
CREATE TRIGGER message_added AFTER INSERT ON messages WHEN new.state <> 'writing' BEGIN
  INSERT INTO message_words (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER message_unindexed AFTER UPDATE OF content, state ON messages WHEN old.state <> 'writing' BEGIN
  INSERT INTO message_words (message_words, rowid, content) VALUES ('delete', old.id, old.content);
END;
CREATE TRIGGER message_indexed AFTER UPDATE OF content, state ON messages WHEN new.state <> 'writing' BEGIN
  INSERT INTO message_words (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER message_deleted AFTER DELETE ON messages WHEN old.state <> 'writing' BEGIN
  INSERT INTO message_words (message_words, rowid, content) VALUES ('delete', old.id, old.content);
END;
CREATE TRIGGER title_added AFTER INSERT ON conversations BEGIN
  INSERT INTO title_words (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER title_changed AFTER UPDATE OF title ON conversations BEGIN
  INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.id, old.title);
  INSERT INTO title_words (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER title_deleted AFTER DELETE ON conversations BEGIN
  INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.id, old.title);
END;
)",
});

/// All that is defined.
Result<std::set<std::string>> definitions_of(Database& database) {
  std::set<std::string> all;
  INGLE_CHECK(
      database.each("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema", {}, [&](const Row& row) {
        all.insert(row.text(0) + " " + row.text(1) + " " + row.text(2) + " " + row.text(3));
        return Status();
      }));
  return all;
}

}  // namespace

Status check_schema(Database& database, int64_t version) {
  INGLE_TRY(Database fresh, Database::open({}, Database::Mode::memory));
  INGLE_CHECK(add_word_tokenizer(fresh.handle()));
  for (int64_t step = 0; step < std::min(version, schema_version()); ++step)
    INGLE_CHECK(fresh.script(kSteps[static_cast<size_t>(step)]));
  INGLE_TRY(const auto wanted, definitions_of(fresh));
  INGLE_TRY(const auto there, definitions_of(database));
  if (wanted == there) return {};
  return Error{ErrorCode::corrupt, "the conversations' tables are not as Ingle makes them"};
}

int64_t schema_version() {
  return static_cast<int64_t>(kSteps.size());
}

Result<int64_t> version_of(Database& database) {
  INGLE_TRY(const auto version, database.integer("PRAGMA user_version"));
  INGLE_TRY(const auto application, database.integer("PRAGMA application_id"));
  INGLE_TRY(const auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables.value_or(0) == 0) return 0;
  if (application != kApplication || version.value_or(0) < 1)
    return Error{ErrorCode::corrupt, "this is a database, but not one of Ingle's conversations"};
  return *version;
}

Status migrate(Database& database) {
  INGLE_TRY(Transaction transaction, Transaction::begin(database, Durability::power_cut));
  // Looked at again: another process may have been faster.
  INGLE_TRY(const int64_t version, version_of(database));
  if (version > schema_version())
    return Error{ErrorCode::unsupported, "the conversations have version " + std::to_string(version) +
                                             ", and this program knows versions up to " +
                                             std::to_string(schema_version()) + "; use a newer Ingle"};
  for (int64_t step = version; step < schema_version(); ++step)
    INGLE_CHECK(database.script(kSteps[static_cast<size_t>(step)]));
  if (version < schema_version()) {
    INGLE_CHECK(database.script("PRAGMA application_id = " + std::to_string(kApplication) +
                                "; PRAGMA user_version = " + std::to_string(schema_version())));
  }
  return transaction.commit();
}

}  // namespace ingle::assistant
