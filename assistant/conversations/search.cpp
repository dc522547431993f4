// Full-text search over titles and messages.
#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/rows.h"
#include "assistant/conversations/words.h"

namespace ingle::assistant {
namespace {

using base::Result;
using base::Status;

// \x02 and \x03 stand around what was found in FTS5's snippets. A text may have them, too; then a bit more is marked.
constexpr std::string_view kMarks = "\x02\x03";

std::vector<Found::Part> parts_of(std::string_view snippet) {
  std::vector<Found::Part> parts;
  bool match = false;
  for (std::string_view rest = snippet; !rest.empty();) {
    const size_t mark = std::min(rest.find_first_of(kMarks), rest.size());
    if (mark > 0) parts.push_back({std::string(rest.substr(0, mark)), match});
    if (mark < rest.size()) match = rest[mark] == kMarks[0];
    rest.remove_prefix(std::min(mark + 1, rest.size()));
  }
  return parts;
}

constexpr std::string_view kTitles =
    "SELECT c.id, c.title, NULL, 'user', c.updated, highlight(title_words, 0, char(2), char(3))"
    " FROM title_words JOIN conversations c ON c.id = title_words.rowid"
    " WHERE title_words MATCH ?1 ORDER BY c.updated DESC LIMIT ?2";
constexpr std::string_view kMessages =
    "SELECT c.id, c.title, m.id, m.role, m.created, snippet(message_words, 0, char(2), char(3), '…', 24)"
    " FROM message_words JOIN messages m ON m.id = message_words.rowid JOIN conversations c ON c.id = m.conversation"
    " WHERE message_words MATCH ?1 ORDER BY rank LIMIT ?2";

// A step takes some milliseconds, and nobody writes meanwhile.
constexpr int kPagesPerStep = 256;

}  // namespace

// FTS5 marks what is deleted and keeps its words until the parts of an index are merged into one; its own secure delete
// came with SQLite 3.42. So it is asked to merge them, a few pages at a time, until it finds nothing more to do. That
// this is so stands in the file, for whoever opens it next.
Status note_words(Database& database) {
  return database.run("INSERT OR REPLACE INTO state VALUES ('words_due', 1)");
}

Result<bool> are_words_due(Database& database) {
  INGLE_TRY(const auto due, database.integer("SELECT value FROM state WHERE name = 'words_due'"));
  return due.value_or(0) != 0;
}

void ConversationStore::words_are_due() {
  const std::lock_guard lock(mutex_);
  words_due_ = true;
  wake_.notify_all();
}

Result<bool> ConversationStore::merge_words() {
  const std::lock_guard lock(writer_.mutex);
  Database& database = writer_.database;
  {
    INGLE_TRY(Transaction transaction, Transaction::begin(database, Durability::process_end));
    const int64_t before = database.all_changes();
    for (const std::string index : {"message_words", "title_words"}) {
      // Negative: of parts of all ages, however few. Each command counts as a change of its own.
      INGLE_CHECK(
          database.run("INSERT INTO " + index + " (" + index + ", rank) VALUES ('merge', ?1)", {-kPagesPerStep}));
    }
    const bool more = database.all_changes() - before > 2;
    if (!more) INGLE_CHECK(database.run("DELETE FROM state WHERE name = 'words_due'"));
    INGLE_CHECK(transaction.commit());
    if (more) return true;
  }
  (void)database.run("PRAGMA wal_checkpoint(TRUNCATE)");  // the log has their pages; who reads meanwhile puts that off
  return false;
}

Result<std::vector<Found>> ConversationStore::search(std::string_view words, size_t limit) {
  std::vector<Found> found;
  const std::string query = word_query(words.substr(0, kLongestTitle));
  if (query.empty()) return found;
  return read([&](Database& database) -> Result<std::vector<Found>> {
    for (const std::string_view sql : {kTitles, kMessages}) {
      if (found.size() >= limit) break;
      INGLE_CHECK(database.each(sql, {query, static_cast<int64_t>(limit - found.size())}, [&](const Row& row) {
        Found each{row.integer(0),       row.text(1),
                   row.maybe_integer(2), find_role(row.view(3)).value_or(Role::user),
                   row.integer(4),       parts_of(row.view(5))};
        found.push_back(std::move(each));
        return Status();
      }));
    }
    return found;
  });
}

}  // namespace ingle::assistant
