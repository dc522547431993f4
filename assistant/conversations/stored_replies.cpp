// Replies: begun, written piece by piece, ended; and those whose writer has died.
#include <fcntl.h>

#include <algorithm>

#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/rows.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr auto kLongestEnd = std::chrono::seconds(1);

struct flock byte_lock(short type, int64_t byte) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

Result<base::FileDescriptor> open_lock_file(const std::filesystem::path& file) {
  const std::filesystem::path path = file.string() + "-replies";
  base::FileDescriptor locks(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (locks.get() < 0) return base::errno_error(errno, "open", path);
  return locks;
}

Status ConversationStore::open_locks() {
  INGLE_TRY(reply_locks_, open_lock_file(options_.file));
  // Whoever uses the file holds byte 0 with others; who replaces it, alone (restore()).
  struct flock lock = byte_lock(F_RDLCK, 0);
  if (::fcntl(reply_locks_.get(), F_OFD_SETLK, &lock) != 0)
    return Error{ErrorCode::busy, options_.file.string() + " is being restored from a backup"};
  return {};
}

// Locks of an open file description: the kernel drops them however a process dies.
bool ConversationStore::lock_reply(int64_t message) {
  if (reply_locks_.get() < 0) return true;
  struct flock lock = byte_lock(F_WRLCK, message);
  return ::fcntl(reply_locks_.get(), F_OFD_SETLK, &lock) == 0;
}

void ConversationStore::unlock_reply(int64_t message) {
  if (reply_locks_.get() < 0) return;
  struct flock lock = byte_lock(F_UNLCK, message);
  (void)::fcntl(reply_locks_.get(), F_OFD_SETLK, &lock);
}

bool ConversationStore::is_written_elsewhere(int64_t message) {
  if (reply_locks_.get() < 0) return false;
  struct flock lock = byte_lock(F_WRLCK, message);
  return ::fcntl(reply_locks_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::shared_ptr<LiveReply> ConversationStore::active(int64_t message) {
  const std::lock_guard lock(mutex_);
  const auto found = replies_.find(message);
  return found == replies_.end() ? nullptr : found->second;
}

// Everybody knows of a reply's end a moment before it counts as written.
bool ConversationStore::is_being_written(int64_t message) {
  const auto reply = active(message);
  if (!reply || !reply->has_ended()) return reply != nullptr;
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, kLongestEnd, [&] { return !replies_.contains(message); });
}

std::shared_ptr<LiveReply> ConversationStore::start_reply(int64_t conversation, int64_t message) {
  std::shared_ptr<LiveReply> reply(new LiveReply(
      conversation, message,
      [this](const LiveReply::Delta& delta) { tell(Change{.kind = Change::Kind::delta, .delta = delta}); },
      [this] {
        const std::lock_guard lock(mutex_);
        ended_one_ = true;
        wake_.notify_all();
      }));
  const std::lock_guard lock(mutex_);
  replies_[message] = reply;
  wake_.notify_all();
  return reply;
}

Result<std::shared_ptr<LiveReply>> ConversationStore::begin_reply(int64_t conversation, std::optional<int64_t> parent,
                                                                  const std::string& model) {
  std::shared_ptr<LiveReply> reply;
  int64_t locked = 0;
  const Status begun = write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    if (parent) {
      INGLE_TRY(const Message before, read_message(database, *parent));
      if (before.conversation != conversation) return not_found("message", *parent);
      if (before.state == MessageState::writing)
        return Error{ErrorCode::busy, "the message that is to be answered is being written; stop it first"};
    }
    const int64_t time = now();
    INGLE_CHECK(database.run(
        "INSERT INTO messages (conversation, parent, role, content, state, model, created, updated, changed)"
        " VALUES (?1, ?2, 'assistant', '', 'writing', ?3, ?4, ?4, ?5)",
        {conversation, parent, model, time, changed}));
    const int64_t id = database.last_id();
    INGLE_CHECK(database.run("UPDATE conversations SET leaf = ?2, updated = ?3, changed = ?4 WHERE id = ?1",
                             {conversation, id, time, changed}));
    if (database.changes() == 0) return not_found("conversation", conversation);
    // Before anybody can see it: what is being written and not locked counts as interrupted.
    if (!lock_reply(id)) return Error{ErrorCode::internal, "a new message is being written by somebody else"};
    locked = id;
    reply = start_reply(conversation, id);
    return {};
  });
  if (begun.ok()) return reply;
  if (locked != 0) {
    unlock_reply(locked);
    const std::lock_guard lock(mutex_);
    replies_.erase(locked);
  }
  return begun.error();
}

Result<std::shared_ptr<LiveReply>> ConversationStore::continue_reply(int64_t message, const std::string& model) {
  if (is_being_written(message) || is_written_elsewhere(message))
    return Error{ErrorCode::busy, "this reply is being written"};
  std::shared_ptr<LiveReply> reply;
  const Status begun = write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    INGLE_TRY(Message before, read_message(database, message));
    if (before.role != Role::assistant) return Error{ErrorCode::invalid_argument, "only a reply can be continued"};
    if (!lock_reply(message)) return Error{ErrorCode::busy, "this reply is being written"};
    INGLE_CHECK(
        database.run("UPDATE messages SET content = ?2, reasoning = ?3, state = 'writing', error = NULL,"
                     " model = ?4, updated = ?5, changed = ?6 WHERE id = ?1",
                     {message, before.content, before.reasoning, model, now(), changed}));
    INGLE_CHECK(database.run("DELETE FROM pieces WHERE message = ?1", {message}));
    INGLE_CHECK(database.run("UPDATE conversations SET updated = ?2, changed = ?3 WHERE id = ?1",
                             {before.conversation, now(), changed}));
    reply = start_reply(before.conversation, message);
    reply->resume(before);
    return {};
  });
  if (begun.ok()) return reply;
  unlock_reply(message);
  const std::lock_guard lock(mutex_);
  replies_.erase(message);
  return begun.error();
}

Status ConversationStore::stop_reply(int64_t message) {
  if (const auto reply = active(message)) {
    reply->stop(false);
    return {};
  }
  INGLE_TRY(const Message found, this->message(message));
  if (found.state != MessageState::writing) return {};
  if (is_written_elsewhere(message)) return Error{ErrorCode::busy, "another program writes this reply; stop it there"};
  return settle_interrupted();
}

void ConversationStore::stop_replies(const std::function<bool(const LiveReply&)>& which) {
  std::vector<std::shared_ptr<LiveReply>> chosen;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, reply] : replies_)
      if (which(*reply)) chosen.push_back(reply);
  }
  for (const auto& reply : chosen) reply->stop(true);
}

/// Writes what is new of all replies; those that have ended and are written are forgotten. False: it did not work.
bool ConversationStore::flush(Durability durability) {
  std::vector<std::shared_ptr<LiveReply>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, reply] : replies_) all.push_back(reply);
  }
  std::string trouble;
  for (const auto& reply : all)
    if (const Status done = flush(*reply, durability); !done.ok()) trouble = done.error().message;
  bool has_changed = false;
  {
    const std::lock_guard lock(mutex_);
    has_changed = trouble_ != trouble;
    trouble_ = trouble;
  }
  if (has_changed) tell(Change{.kind = Change::Kind::trouble, .text = trouble});
  return trouble.empty();
}

Status ConversationStore::flush(LiveReply& reply, Durability durability) {
  const LiveReply::Unwritten unwritten = reply.unwritten();
  if (unwritten.deleted) {
    if (unwritten.finished) forget(reply);
    return {};
  }
  if (unwritten.finished) {
    INGLE_CHECK(write_end(reply, unwritten));
    forget(reply);
    return {};
  }
  const bool syncs = durability == Durability::power_cut;
  // Where nothing more came, a piece of nothing brings the earlier ones to the disk.
  if (unwritten.content.empty() && unwritten.reasoning.empty() && !(syncs && unwritten.unsynced)) return {};
  INGLE_CHECK(write_piece(reply, unwritten, durability));
  reply.written(unwritten, syncs);
  return {};
}

void ConversationStore::forget(const LiveReply& reply) {
  unlock_reply(reply.message_);
  const std::lock_guard lock(mutex_);
  replies_.erase(reply.message_);
  wake_.notify_all();
}

Status ConversationStore::write_end(const LiveReply& reply, const LiveReply::Unwritten& end) {
  const auto null_or = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const std::string report = end.report.is_null() ? std::string() : column_text(end.report);
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    const int64_t time = now();
    INGLE_CHECK(
        database.run("UPDATE messages SET content = ?2, reasoning = ?3, state = ?4, error = ?5, report = ?6,"
                     " updated = ?7, changed = ?8 WHERE id = ?1",
                     {reply.message_, end.content, end.reasoning, state_name(end.state), null_or(end.error),
                      null_or(report), time, changed}));
    INGLE_CHECK(database.run("DELETE FROM pieces WHERE message = ?1", {reply.message_}));
    return database.run("UPDATE conversations SET updated = ?2, changed = ?3 WHERE id = ?1",
                        {reply.conversation_, time, changed});
  });
}

Status ConversationStore::write_piece(LiveReply& reply, const LiveReply::Unwritten& piece, Durability durability) {
  int64_t number = 0;
  bool is_gone = false;
  const Work work = [&](Database& database, int64_t changed) -> Status {
    INGLE_CHECK(database.run("UPDATE messages SET changed = ?2 WHERE id = ?1", {reply.message_, changed}));
    is_gone = database.changes() == 0;
    if (is_gone) return {};
    INGLE_CHECK(database.run("UPDATE conversations SET changed = ?2 WHERE id = ?1", {reply.conversation_, changed}));
    return database.run("INSERT INTO pieces VALUES (?1, ?2, ?3, ?4)",
                        {reply.message_, piece.number, piece.content, piece.reasoning});
  };
  INGLE_CHECK(write_quietly(durability, work, number));
  if (is_gone) reply.stop(true);  // another process has deleted it
  // Those who listen here heard it word by word.
  const std::lock_guard lock(announce_mutex_);
  if (announced_ == number - 1) announced_ = number;
  return {};
}

/// Replies of processes that have died become messages.
Status ConversationStore::settle_interrupted() {
  using Ids = std::vector<int64_t>;
  INGLE_TRY(Ids writing, read([](Database& database) -> Result<Ids> {
              Ids ids;
              INGLE_CHECK(database.each("SELECT id FROM messages WHERE state = 'writing'", {}, [&](const Row& row) {
                ids.push_back(row.integer(0));
                return Status();
              }));
              return ids;
            }));
  const auto is_written = [this](int64_t id) { return active(id) != nullptr || is_written_elsewhere(id); };
  std::erase_if(writing, is_written);
  if (writing.empty()) return {};
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Status {
    for (const int64_t id : writing) {
      INGLE_TRY(const Message message, read_message(database, id));
      if (message.state != MessageState::writing || is_written(id)) continue;  // begun again, or settled, meanwhile
      INGLE_CHECK(
          database.run("UPDATE messages SET content = ?2, reasoning = ?3, state = 'interrupted', changed = ?4"
                       " WHERE id = ?1",
                       {id, message.content, message.reasoning, changed}));
      INGLE_CHECK(database.run("DELETE FROM pieces WHERE message = ?1", {id}));
      INGLE_CHECK(database.run("UPDATE conversations SET changed = ?2 WHERE id = ?1", {message.conversation, changed}));
    }
    return {};
  });
}

}  // namespace ingle::assistant
