// The conversations of one person in one SQLite file, which several processes may use at the same time: a server and
// command lines. What a person sends is on the disk when add() returns; what a model writes follows (live_reply.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "assistant/conversations/conversation.h"
#include "assistant/conversations/database.h"
#include "assistant/conversations/live_reply.h"
#include "base/files.h"
#include "base/result.h"

namespace ingle::assistant {

struct ImportedConversation;  // interchange.h

/// What those who look at conversations are told.
struct Change {
  enum class Kind : uint8_t {
    conversation,  ///< this is how it is now
    deleted,       ///< `id` is gone
    folders,
    presets,
    delta,    ///< more of a reply that this process writes
    reset,    ///< more than can be told
    trouble,  ///< replies can't be saved for now, and why; an empty text: they can again
  };
  Kind kind = Kind::reset;
  Conversation conversation{};
  int64_t id = 0;
  LiveReply::Delta delta{};
  std::string text{};
};

struct ConversationStoreOptions {
  std::filesystem::path file;       ///< empty: in memory, for as long as the store lives
  int64_t first_id = 1;             ///< of a new one; ids of two stores can be told apart by it
  std::function<int64_t()> now_ms;  ///< for tests; empty: the system's clock
};

/// For any thread. Errors of all: those of Database; not_found, limit_exceeded and invalid_argument as told.
class ConversationStore {
 public:
  /// Brings a file of an earlier version up to date, after a backup of it beside it; a damaged one is set aside, and
  /// what can be read of it is taken over (notices() tells of both). Errors: unsupported (of a later version).
  static base::Result<std::unique_ptr<ConversationStore>> open(const ConversationStoreOptions& options);
  /// Replies that have not ended are saved as interrupted ones; nobody may push to them any more.
  ~ConversationStore();

  /// What a person should know of opening it.
  const std::vector<std::string>& notices() const { return notices_; }

  // Conversations.
  base::Result<Conversation> create(const ConversationSettings& settings);
  base::Result<Conversation> find(int64_t id);
  struct ListQuery {
    size_t limit = 100;
    std::optional<int64_t> before;  ///< only those `updated` earlier
    std::optional<int64_t> folder;
  };
  /// The one that was updated last first.
  base::Result<std::vector<Conversation>> list(const ListQuery& query);
  /// Sets what `edit` changes of the settings and the leaf. Errors: invalid_argument (no such folder, no such message
  /// in it), what `edit` returns.
  base::Result<Conversation> update(int64_t id, const std::function<base::Status(Conversation&)>& edit);
  /// Its words leave the search's index a little later, on a thread of the store; so with remove_message().
  base::Status remove(int64_t id);
  /// All of them, and every trace in the file. How many.
  base::Result<int64_t> remove_all();
  /// Those that nobody touched since, unless they are pinned or a reply is being written; the one touched last first.
  base::Result<std::vector<Conversation>> untouched_since(int64_t time);
  /// Those, and the words of them in the search's index. Also files that were never sent. How many.
  base::Result<int64_t> remove_before(int64_t time);
  /// After how many days a server does that (retention.h). Error: invalid_argument.
  base::Result<int64_t> keep_days();
  base::Status set_keep_days(int64_t days);

  // Messages.
  struct Messages {
    std::vector<Message> messages;  ///< by their ids
    bool whole = true;              ///< all of the conversation; else those that changed
    Conversation conversation;      ///< of the same moment
  };
  /// `since`: a value of Conversation::changed, 0 for all.
  base::Result<Messages> messages(int64_t conversation, int64_t since = 0);
  base::Result<Message> message(int64_t id);
  /// From the first message to this one.
  base::Result<std::vector<Message>> branch(int64_t id);
  struct NewMessage {
    int64_t conversation = 0;
    std::optional<int64_t> parent;
    Role role = Role::user;
    std::string content, reasoning, model;
    std::vector<int64_t> attachments;
  };
  /// On the disk when it returns. Without a title, the conversation gets one from its first words. Errors:
  /// invalid_argument (a parent of another conversation, an attachment that is none or has its message already).
  base::Result<Message> add(const NewMessage& message);
  /// With all that follow it. Those that are being written are stopped.
  base::Status remove_message(int64_t id);

  // Replies.
  /// Error: invalid_argument (the parent is no message of the conversation).
  base::Result<std::shared_ptr<LiveReply>> begin_reply(int64_t conversation, std::optional<int64_t> parent,
                                                       const std::string& model);
  /// Goes on with one that has ended. Errors: invalid_argument (no reply), busy (it is being written).
  base::Result<std::shared_ptr<LiveReply>> continue_reply(int64_t message, const std::string& model);
  /// Error: busy (another process writes it).
  base::Status stop_reply(int64_t message);

  base::Result<std::vector<Folder>> folders();
  base::Result<Folder> add_folder(const std::string& name);
  base::Result<Folder> rename_folder(int64_t id, const std::string& name);
  /// Its conversations stay, in none.
  base::Status remove_folder(int64_t id);

  base::Result<std::vector<Preset>> presets();
  base::Result<Preset> add_preset(const Preset& preset);
  /// Of that id.
  base::Result<Preset> update_preset(const Preset& preset);
  base::Status remove_preset(int64_t id);

  /// Of no message until it is sent with one; for a day, if that never happens. `text` is what a model reads of it.
  base::Result<Attachment> add_attachment(const std::string& name, std::string_view content, std::string_view text);
  struct AttachmentContent {
    std::string name, content, text;
  };
  base::Result<AttachmentContent> attachment(int64_t id);

  /// Titles, then messages, with all of these words (word_query); the best first.
  base::Result<std::vector<Found>> search(std::string_view words, size_t limit);

  /// False: one of that origin is there already. What is too long is cut; messages without anything in them are left
  /// out. Error: limit_exceeded.
  base::Result<bool> import(const ImportedConversation& conversation);
  /// What tells a conversation from all others, also in another file.
  base::Result<std::string> origin_of(int64_t id);

  /// A whole copy in one file, of this moment. Error: those of writing it.
  base::Status back_up(const std::filesystem::path& file);
  /// Puts a copy of a backup in the place of `file`, and returns where what was there is now; empty: nothing was.
  /// Errors: busy (a store has it open), corrupt or unsupported (the backup; then nothing has changed), not_found.
  static base::Result<std::filesystem::path> restore(const std::filesystem::path& backup,
                                                     const std::filesystem::path& file);

  /// Calls `listener` with each change from now on, also of other processes (within half a second), on the threads of
  /// the store and of who changes; it must not call the store. The changes up to now are those up to the return value.
  using Listener = std::function<void(const Change&)>;
  base::Result<int64_t> subscribe(uint64_t& id, Listener listener);
  /// Returns when the listener is not running any more, and won't again.
  void unsubscribe(uint64_t id);

 private:
  struct Connection {
    std::mutex mutex;
    Database database;
  };
  /// What happens in one transaction, under the number of its change.
  using Work = std::function<base::Status(Database& database, int64_t changed)>;

  explicit ConversationStore(const ConversationStoreOptions& options) : options_(options) {}
  base::Status open_file();
  base::Status open_locks();
  base::Status open_database(bool& damaged);
  base::Status set_up(Database& database);
  base::Status salvage();
  base::Status finish_replacing();
  int64_t now() const;

  Connection& reader() { return options_.file.empty() ? writer_ : reader_; }
  base::Status do_read(const std::function<base::Status(Database&)>& work);
  base::Status do_write(Durability durability, const Work& work);
  /// Without telling of it.
  base::Status write_quietly(Durability durability, const Work& work, int64_t& changed);
  /// What `work(database)` returns, of one moment.
  template <typename F>
  auto read(F work) {
    std::invoke_result_t<F, Database&> out = nothing_done();
    const base::Status done = do_read([&](Database& database) { return status_of(out = work(database)); });
    return done.ok() ? std::move(out) : decltype(out)(done.error());
  }
  /// What `work(database, number of the change)` returns, after one transaction that is undone where it fails.
  template <typename F>
  auto write(Durability durability, F work) {
    std::invoke_result_t<F, Database&, int64_t> out = nothing_done();
    const base::Status done = do_write(
        durability, [&](Database& database, int64_t changed) { return status_of(out = work(database, changed)); });
    return done.ok() ? std::move(out) : decltype(out)(done.error());
  }
  static base::Error nothing_done() { return {base::ErrorCode::internal, ""}; }
  template <typename T>
  static base::Status status_of(const base::Result<T>& result) {
    return result.ok() ? base::Status() : base::Status(result.error());
  }

  void tell(const Change& change);
  void announce();
  base::Status find_news(std::vector<Change>& news);

  /// One step of rewriting the search's indices without the words of what was deleted; true: there is more to do.
  base::Result<bool> merge_words();
  void words_are_due();
  void tend();
  bool flush(Durability durability);
  base::Status flush(LiveReply& reply, Durability durability);
  base::Status write_end(const LiveReply& reply, const LiveReply::Unwritten& end);
  base::Status write_piece(LiveReply& reply, const LiveReply::Unwritten& piece, Durability durability);
  void forget(const LiveReply& reply);
  base::Status settle_interrupted();
  bool lock_reply(int64_t message);
  void unlock_reply(int64_t message);
  bool is_written_elsewhere(int64_t message);
  std::shared_ptr<LiveReply> active(int64_t message);
  bool is_being_written(int64_t message);
  std::shared_ptr<LiveReply> start_reply(int64_t conversation, int64_t message);
  void stop_replies(const std::function<bool(const LiveReply&)>& which);

  base::Result<Message> read_message(Database& database, int64_t id);
  base::Status read_messages(Database& database, std::string_view where, std::initializer_list<Value> values,
                             std::vector<Message>& out);

  const ConversationStoreOptions options_;
  std::vector<std::string> notices_;
  Connection writer_, reader_;
  base::FileDescriptor reply_locks_;  ///< byte N of the file is locked by who writes message N

  std::mutex announce_mutex_;
  int64_t announced_ = 0;  ///< the change up to which listeners know; guarded by announce_mutex_

  std::mutex listeners_mutex_;  ///< held while they are called
  std::map<uint64_t, Listener> listeners_;
  uint64_t next_listener_ = 1;

  std::mutex mutex_;  ///< of all below
  std::condition_variable wake_;
  std::map<int64_t, std::shared_ptr<LiveReply>> replies_;  ///< that are written here, or can't be saved yet
  bool ending_ = false, has_listeners_ = false, ended_one_ = false;
  bool words_due_ = false;  ///< merge_words() has something to do
  std::string trouble_;
  std::thread thread_;
};

}  // namespace ingle::assistant
