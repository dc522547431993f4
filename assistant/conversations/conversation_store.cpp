// Opening, transactions, and telling of changes. The rest of the class: stored_*.cpp, search.cpp, salvage.cpp.
#include "assistant/conversations/conversation_store.h"

#include <fcntl.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "assistant/conversations/rows.h"
#include "assistant/conversations/schema.h"
#include "assistant/conversations/words.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(150);       ///< a reply is written so often
constexpr auto kSync = std::chrono::milliseconds(1600);      ///< … and synced so often, or a tick later
constexpr auto kLastWords = std::chrono::milliseconds(300);  ///< for the search's index, where the store is closed
constexpr auto kPatrol = std::chrono::seconds(5);  ///< replies whose writers have died are looked for so often
constexpr size_t kMostNews = 200;                  ///< more is told as a reset
constexpr int64_t kChecked = int64_t{256} << 20;   ///< bytes of a file that is looked through when opened

Result<int64_t> last_change(Database& database) {
  INGLE_TRY(const auto changed, database.integer("SELECT value FROM state WHERE name = 'changed'"));
  return changed.value_or(0);
}

}  // namespace

Result<std::unique_ptr<ConversationStore>> ConversationStore::open(const ConversationStoreOptions& options) {
  std::unique_ptr<ConversationStore> store(new ConversationStore(options));
  INGLE_CHECK(store->open_file());
  INGLE_CHECK(store->settle_interrupted());
  store->thread_ = std::thread([raw = store.get()] { raw->tend(); });
  return store;
}

Status ConversationStore::open_file() {
  if (options_.file.empty()) {
    INGLE_TRY(writer_.database, Database::open({}, Database::Mode::memory));
    INGLE_CHECK(set_up(writer_.database));
    INGLE_CHECK(migrate(writer_.database));
  } else {
    base::make_private_folder(options_.file.parent_path());
    INGLE_CHECK(open_locks());
    // One after the other: what one finds damaged or missing another may be repairing.
    INGLE_TRY(const base::FileDescriptor alone, open_lock_file(options_.file));
    struct flock opening = byte_lock(F_WRLCK, kOpening);
    if (::fcntl(alone.get(), F_OFD_SETLKW, &opening) != 0) return base::errno_error(errno, "lock", options_.file);
    INGLE_CHECK(finish_replacing());
    bool damaged = false;
    if (Status opened = open_database(damaged); !opened.ok()) {
      if (!damaged) return opened;
      INGLE_CHECK(salvage());
    }
    INGLE_TRY(reader_.database, Database::open(options_.file, Database::Mode::create));
    INGLE_CHECK(set_up(reader_.database));
  }
  if (options_.first_id > 1) {
    for (const char* table : {"conversations", "messages", "folders", "presets", "attachments"})
      INGLE_CHECK(writer_.database.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
                                       {table, options_.first_id - 1}));
  }
  INGLE_TRY(words_due_, are_words_due(writer_.database));
  INGLE_TRY(announced_, last_change(writer_.database));
  return {};
}

/// What every connection needs before it can do anything.
Status ConversationStore::set_up(Database& database) {
  INGLE_CHECK(add_word_tokenizer(database.handle()));
  INGLE_CHECK(database.run("PRAGMA foreign_keys=ON"));
  INGLE_CHECK(database.run("PRAGMA secure_delete=ON"));  // what was deleted is overwritten
  INGLE_CHECK(database.run("PRAGMA journal_mode=WAL"));
  return {};
}

Status ConversationStore::open_database(bool& damaged) {
  const auto try_all = [&]() -> Status {
    INGLE_TRY(Database database, Database::open(options_.file, Database::Mode::create));
    INGLE_CHECK(set_up(database));
    INGLE_TRY(const int64_t version, version_of(database));
    if (version > 0) {
      INGLE_TRY(const auto pages, database.integer("PRAGMA page_count"));
      INGLE_TRY(const auto page_size, database.integer("PRAGMA page_size"));
      if (pages.value_or(0) * page_size.value_or(0) <= kChecked) {
        INGLE_TRY(const auto check, database.text("PRAGMA quick_check(1)"));
        if (check != "ok")
          return Error{ErrorCode::corrupt, options_.file.string() + " is damaged: " + check.value_or("")};
      }
    }
    if (version > 0 && version <= schema_version()) INGLE_CHECK(check_schema(database, version));
    if (version > 0 && version < schema_version())
      INGLE_CHECK(back_up_earlier_version(database, options_.file, version, notices_));
    INGLE_CHECK(migrate(database));
    writer_.database = std::move(database);
    return {};
  };
  const Status done = try_all();
  damaged = !done.ok() && done.error().code == ErrorCode::corrupt;
  return done;
}

ConversationStore::~ConversationStore() {
  std::vector<std::shared_ptr<LiveReply>> left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, reply] : replies_) left.push_back(reply);
    ending_ = true;
  }
  for (const auto& reply : left) reply->finish(MessageState::interrupted, nullptr);
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

int64_t ConversationStore::now() const {
  if (options_.now_ms) return options_.now_ms();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Status ConversationStore::do_read(const std::function<Status(Database&)>& work) {
  Connection& connection = reader();
  const std::lock_guard lock(connection.mutex);
  if (options_.file.empty()) return work(connection.database);
  INGLE_CHECK(connection.database.run("BEGIN"));  // several statements see the same moment
  const Status done = work(connection.database);
  (void)connection.database.run("ROLLBACK");
  return done;
}

Status ConversationStore::do_write(Durability durability, const Work& work) {
  int64_t changed = 0;
  INGLE_CHECK(write_quietly(durability, work, changed));
  announce();
  return {};
}

Status ConversationStore::write_quietly(Durability durability, const Work& work, int64_t& changed) {
  const std::lock_guard lock(writer_.mutex);
  INGLE_TRY(Transaction transaction, Transaction::begin(writer_.database, durability));
  INGLE_TRY(const auto number,
            writer_.database.integer("UPDATE state SET value = value + 1 WHERE name = 'changed' RETURNING value"));
  changed = number.value_or(0);
  INGLE_CHECK(work(writer_.database, changed));
  return transaction.commit();
}

// ---- telling

Result<int64_t> ConversationStore::subscribe(uint64_t& id, Listener listener) {
  const std::lock_guard announcing(announce_mutex_);
  {
    const std::lock_guard lock(listeners_mutex_);
    // While nobody listened, nobody looked.
    if (listeners_.empty()) {
      INGLE_TRY(announced_, read([](Database& database) { return last_change(database); }));
    }
    id = next_listener_++;
    listeners_.emplace(id, std::move(listener));
  }
  const std::lock_guard lock(mutex_);
  has_listeners_ = true;
  wake_.notify_all();
  return announced_;
}

void ConversationStore::unsubscribe(uint64_t id) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
  const std::lock_guard state(mutex_);
  has_listeners_ = !listeners_.empty();
}

void ConversationStore::tell(const Change& change) {
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener(change);
}

/// Tells what changed since the last time, whoever changed it.
void ConversationStore::announce() {
  const std::lock_guard lock(announce_mutex_);
  {
    const std::lock_guard listening(listeners_mutex_);
    if (listeners_.empty()) return;
  }
  std::vector<Change> news;
  if (!find_news(news).ok()) return;  // they are found the next time
  if (news.size() > kMostNews) news = {Change{.kind = Change::Kind::reset}};
  for (const Change& change : news) tell(change);
}

Status ConversationStore::find_news(std::vector<Change>& news) {
  return read([&](Database& database) -> Status {
    const int64_t from = announced_;
    INGLE_TRY(const int64_t changed, last_change(database));
    if (changed == from) return {};
    INGLE_CHECK(database.each(std::string(kSelectConversation) + " WHERE c.changed > ?1 ORDER BY c.changed LIMIT ?2",
                              {from, static_cast<int64_t>(kMostNews + 1)}, [&](const Row& row) -> Status {
                                Change change{.kind = Change::Kind::conversation};
                                INGLE_TRY(change.conversation, conversation_of(row));
                                news.push_back(std::move(change));
                                return {};
                              }));
    INGLE_CHECK(database.each("SELECT conversation FROM deletions WHERE changed > ?1 LIMIT ?2",
                              {from, static_cast<int64_t>(kMostNews + 1)}, [&](const Row& row) -> Status {
                                news.push_back(Change{.kind = Change::Kind::deleted, .id = row.integer(0)});
                                return {};
                              }));
    INGLE_CHECK(database.each(
        "SELECT name FROM state WHERE value > ?1 AND name IN ('folders', 'presets')", {from},
        [&](const Row& row) -> Status {
          news.push_back(Change{.kind = row.view(0) == "folders" ? Change::Kind::folders : Change::Kind::presets});
          return {};
        }));
    announced_ = changed;
    return {};
  });
}

// ---- the thread that writes replies, and looks for what others do

void ConversationStore::tend() {
  auto synced = steady_clock::now(), patrolled = synced;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [&] { return ending_ || ended_one_; };
    if (replies_.empty() && !has_listeners_ && !words_due_) {
      wake_.wait(lock, [&] { return has_work() || !replies_.empty() || has_listeners_ || words_due_; });
    }
    wake_.wait_for(lock, kTick, has_work);
    const bool ending = ending_, looking = has_listeners_, writing = !replies_.empty();
    bool words_due = std::exchange(words_due_, false);
    ended_one_ = false;
    lock.unlock();
    const auto now = steady_clock::now();
    const bool sync = now - synced >= kSync;
    const bool flushed = !writing || flush(sync ? Durability::power_cut : Durability::process_end);
    if (sync && flushed) synced = now;
    if (looking && !options_.file.empty()) {
      if (now - patrolled >= kPatrol) {
        patrolled = now;
        (void)settle_interrupted();
      }
      announce();
    }
    const auto words_until = steady_clock::now() + (ending ? kLastWords : std::chrono::milliseconds(0));
    while (words_due) {
      const auto more = merge_words();
      words_due = more.ok() && *more;  // what failed is tried when the file is opened again
      if (steady_clock::now() >= words_until) break;
    }
    lock.lock();
    words_due_ |= words_due;
    if (ending) return;
  }
}

}  // namespace ingle::assistant
