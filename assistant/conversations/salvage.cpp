// Copies of the whole file: backups, and what can be read of a damaged one.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/rows.h"
#include "assistant/conversations/schema.h"
#include "assistant/conversations/words.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int64_t kMostProbes = 2'000'000;  // of single rows in the part that can't be read in order

/// The whole database in a new file, which appears when it is complete.
Status copy_to(Database& database, const std::filesystem::path& file) {
  const std::filesystem::path part = file.string() + ".part";
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  const base::FileDescriptor made(::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.get() < 0) return base::errno_error(errno, "write", part);
  const Status copied = database.run("VACUUM INTO ?1", {part.string()});
  if (!copied.ok() || ::fsync(made.get()) != 0 || ::rename(part.c_str(), file.c_str()) != 0) {
    const int failure = errno;
    std::filesystem::remove(part, ignored);
    return copied.ok() ? Status(base::errno_error(failure, "write", file)) : copied;
  }
  return base::sync_folder(file.parent_path());
}

std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &utc);
  return text;
}

/// The name of a whole new file that is to take the place of `file`.
std::filesystem::path next_of(const std::filesystem::path& file) {
  return file.string() + ".next";
}

/// Moves `file` and its log aside, and next_of(file) to its place; returns where `file` is now. Each step is on the
/// disk before the next one: a power cut leaves the earlier file with its log, or none; then the next store goes on
/// here (finish_replacing).
Result<std::filesystem::path> replace(const std::filesystem::path& file, const char* why) {
  const auto move = [](const std::filesystem::path& from, const std::filesystem::path& to) -> Status {
    if (::rename(from.c_str(), to.c_str()) == 0) return base::sync_folder(to.parent_path());
    return errno == ENOENT ? Status() : Status(base::errno_error(errno, "move", from));
  };
  const std::filesystem::path aside = file.string() + "." + why + "-" + time_stamp();
  INGLE_CHECK(move(file, aside));
  INGLE_CHECK(move(file.string() + "-wal", aside.string() + "-wal"));
  std::error_code ignored;
  std::filesystem::remove(file.string() + "-shm", ignored);
  INGLE_CHECK(move(next_of(file), file));
  return aside;
}

/// The columns of a table, "a, b, c", and as many places for values.
struct Columns {
  std::string names, places;
  size_t count = 0;
};

Result<Columns> columns_of(Database& database, const std::string& table) {
  Columns columns;
  INGLE_CHECK(database.each("SELECT name FROM pragma_table_info(?1)", {table}, [&](const Row& row) {
    columns.names += (columns.count == 0 ? "" : ", ") + row.text(0);
    columns.places += columns.count++ == 0 ? "?" : ", ?";
    return Status();
  }));
  return columns;
}

/// Copies rows of a table that has an id, one by one.
class TableCopy {
 public:
  TableCopy(Database& from, Database& to, std::string table, Columns columns)
      : from_(from), to_(to), table_(std::move(table)), columns_(std::move(columns)) {}

  /// From the front, from the back, and what is between, as far as pages can be read.
  int64_t all() {
    int64_t first_unread = 0, last_unread = 0;
    if (walk("SELECT " + columns_.names + " FROM " + table_ + " ORDER BY id", first_unread)) return count_;
    (void)walk("SELECT " + columns_.names + " FROM " + table_ + " ORDER BY id DESC", last_unread);
    if (last_unread == 0) last_unread = last_known_id();
    const int64_t end = std::min(last_unread, first_unread + kMostProbes);
    for (int64_t id = first_unread + 1; id < end; ++id) {
      (void)from_.each("SELECT " + columns_.names + " FROM " + table_ + " WHERE id = ?1", {id},
                       [&](const Row& row) { return keep(row); });
    }
    return count_;
  }

 private:
  /// False: it ended at damage. `last`: the id of the last row that was read.
  bool walk(const std::string& sql, int64_t& last) {
    return from_
        .each(sql, {},
              [&](const Row& row) {
                last = row.integer(0);
                return keep(row);
              })
        .ok();
  }

  int64_t last_known_id() {
    const auto known = from_.integer("SELECT seq FROM sqlite_sequence WHERE name = ?1", {table_});
    return known ? known->value_or(0) + 1 : 0;
  }

  Status keep(const Row& row) {
    // What breaks a rule of the new table is damage, too.
    if (to_.run_row("INSERT OR IGNORE INTO " + table_ + " (" + columns_.names + ") VALUES (" + columns_.places + ")",
                    row, columns_.count)
            .ok())
      count_ += to_.changes();
    return {};
  }

  Database& from_;
  Database& to_;
  const std::string table_;
  const Columns columns_;
  int64_t count_ = 0;
};

// What refers to rows that are lost.
constexpr const char* kMend = R"(
DELETE FROM pieces WHERE message NOT IN (SELECT id FROM messages);
UPDATE attachments SET message = NULL WHERE message NOT IN (SELECT id FROM messages);
INSERT INTO conversations (id, title, created, updated, changed)
  SELECT conversation, '', min(created), max(created), 0 FROM messages
  WHERE conversation NOT IN (SELECT id FROM conversations) GROUP BY conversation;
UPDATE conversations SET folder = NULL WHERE folder NOT IN (SELECT id FROM folders);
UPDATE messages SET parent = (SELECT max(id) FROM messages AS earlier
    WHERE earlier.conversation = messages.conversation AND earlier.id < messages.id)
  WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM messages);
UPDATE conversations SET leaf = (SELECT max(id) FROM messages WHERE conversation = conversations.id)
  WHERE leaf IS NULL OR leaf NOT IN (SELECT id FROM messages);
UPDATE conversations SET pruned = 0;
UPDATE state SET value = 1 + max(
  (SELECT coalesce(max(changed), 0) FROM conversations), (SELECT coalesce(max(changed), 0) FROM messages))
  WHERE name = 'changed';
UPDATE conversations SET changed = (SELECT value FROM state WHERE name = 'changed') WHERE changed = 0;
)";

}  // namespace

Status back_up_earlier_version(Database& database, const std::filesystem::path& file, int64_t version,
                               std::vector<std::string>& notices) {
  const std::filesystem::path backup = file.string() + ".version-" + std::to_string(version);
  INGLE_CHECK(copy_to(database, backup));
  notices.push_back("the conversations were brought up to date; as they were before they are in " + backup.string());
  return {};
}

Status ConversationStore::back_up(const std::filesystem::path& file) {
  if (options_.file.empty()) return Error{ErrorCode::unsupported, "conversations that are not kept have no backup"};
  INGLE_TRY(Database database, Database::open(options_.file, Database::Mode::create));
  INGLE_CHECK(set_up(database));
  return copy_to(database, file);
}

Result<std::filesystem::path> ConversationStore::restore(const std::filesystem::path& backup,
                                                         const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::exists(backup, failure))
    return Error{ErrorCode::not_found, "there is no file " + backup.string()};
  base::make_private_folder(file.parent_path());
  INGLE_TRY(const base::FileDescriptor locks, open_lock_file(file));
  struct flock alone = byte_lock(F_WRLCK, 0);
  if (::fcntl(locks.get(), F_OFD_SETLK, &alone) != 0)
    return Error{ErrorCode::busy, "the conversations are in use; end the server first ('ingle stop')"};
  {
    INGLE_TRY(Database database, Database::open(backup, Database::Mode::read_only));
    INGLE_CHECK(add_word_tokenizer(database.handle()));
    INGLE_TRY(const int64_t version, version_of(database));
    if (version == 0) return Error{ErrorCode::corrupt, backup.string() + " is empty"};
    if (version > schema_version()) return Error{ErrorCode::unsupported, "the backup is of a newer Ingle; use that"};
    INGLE_CHECK(check_schema(database, version));
    INGLE_TRY(const auto check, database.text("PRAGMA quick_check(1)"));
    if (check != "ok") return Error{ErrorCode::corrupt, backup.string() + " is damaged: " + check.value_or("")};
    INGLE_CHECK(copy_to(database, next_of(file)));
  }
  const bool replaces = std::filesystem::exists(file, failure);
  INGLE_TRY(const std::filesystem::path before, replace(file, "before"));
  return replaces ? before : std::filesystem::path();
}

Status ConversationStore::finish_replacing() {
  std::error_code ignored;
  const std::filesystem::path next = next_of(options_.file);
  if (std::filesystem::exists(options_.file, ignored)) {
    // It was not complete, or nobody was told that it is: that begins anew.
    for (const char* end : {"", "-journal", ".part"}) std::filesystem::remove(next.string() + end, ignored);
    return {};
  }
  if (!std::filesystem::exists(next, ignored)) return {};
  INGLE_CHECK(replace(options_.file, "before"));
  notices_.push_back(
      "the computer stopped while the conversations were repaired or restored; that is done now, and what was there "
      "before is beside " +
      options_.file.string());
  return {};
}

/// What can be read of the damaged file goes into a new one, which takes its place when it is complete.
Status ConversationStore::salvage() {
  int64_t conversations = 0, messages = 0;
  {
    INGLE_TRY(Database fresh, Database::open(next_of(options_.file), Database::Mode::create));
    INGLE_CHECK(add_word_tokenizer(fresh.handle()));
    INGLE_CHECK(migrate(fresh));
    auto damaged = Database::open(options_.file, Database::Mode::create);
    if (damaged && add_word_tokenizer(damaged->handle()).ok()) {
      INGLE_TRY(Transaction transaction, Transaction::begin(fresh, Durability::power_cut));
      for (const char* table : {"folders", "presets", "conversations", "messages", "attachments"}) {
        INGLE_TRY(Columns columns, columns_of(fresh, table));
        const int64_t count = TableCopy(*damaged, fresh, table, std::move(columns)).all();
        if (table == std::string_view("conversations")) conversations = count;
        if (table == std::string_view("messages")) messages = count;
      }
      (void)damaged->each("SELECT message, number, content, reasoning FROM pieces", {}, [&](const Row& row) {
        (void)fresh.run_row("INSERT OR IGNORE INTO pieces VALUES (?, ?, ?, ?)", row, 4);
        return Status();
      });
      INGLE_CHECK(fresh.script(kMend));
      INGLE_CHECK(transaction.commit());
    }
  }
  INGLE_TRY(const std::filesystem::path aside, replace(options_.file, "damaged"));
  notices_.push_back("the file of conversations was damaged and is now " + aside.string() + "; " +
                     std::to_string(conversations) + " conversations with " + std::to_string(messages) +
                     " messages could be read and were kept");
  INGLE_TRY(writer_.database, Database::open(options_.file, Database::Mode::create));
  return set_up(writer_.database);
}

}  // namespace ingle::assistant
