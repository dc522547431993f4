// Messages and what is attached to them.
#include <algorithm>

#include "assistant/conversations/conversation_store.h"
#include "assistant/conversations/rows.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr size_t kTitleBytes = 60;

/// The first words of the first line that has any.
std::string title_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n#>*`-";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.size() <= kTitleBytes) return std::string(text.substr(0, text.find_last_not_of(" \t") + 1));
  std::string_view cut = text.substr(0, kTitleBytes);
  cut = cut.substr(0, base::complete_utf8_prefix(cut));
  if (const size_t space = cut.rfind(' '); space != std::string_view::npos && space > kTitleBytes / 2)
    cut = cut.substr(0, space);
  return std::string(cut) + "…";
}

Status check_parent(Database& database, const std::optional<int64_t>& parent, int64_t conversation) {
  if (!parent) return {};
  INGLE_TRY(const auto owner, database.integer("SELECT conversation FROM messages WHERE id = ?1", {*parent}));
  if (owner == conversation) return {};
  return Error{ErrorCode::invalid_argument,
               "message " + std::to_string(*parent) + " is none of conversation " + std::to_string(conversation)};
}

/// Ready for a new message.
Status check_room(Database& database, int64_t conversation) {
  INGLE_TRY(const auto there, database.integer("SELECT 1 FROM conversations WHERE id = ?1", {conversation}));
  if (!there) return not_found("conversation", conversation);
  INGLE_TRY(const auto count,
            database.integer("SELECT count(*) FROM messages WHERE conversation = ?1", {conversation}));
  if (count.value_or(0) >= kMostMessagesKept)
    return Error{ErrorCode::limit_exceeded, "the conversation has 100,000 messages already; begin a new one"};
  return {};
}

Status attach(Database& database, int64_t message, const std::vector<int64_t>& attachments) {
  for (const int64_t id : attachments) {
    INGLE_CHECK(database.run("UPDATE attachments SET message = ?2 WHERE id = ?1 AND message IS NULL", {id, message}));
    if (database.changes() == 0)
      return Error{ErrorCode::invalid_argument,
                   "there is no attachment " + std::to_string(id) + " that was not sent yet; attach the file again"};
  }
  return {};
}

/// A message and all that follow it: which ones those were.
Result<std::vector<int64_t>> remove_branch(Database& database, int64_t id, int64_t changed) {
  INGLE_TRY(const auto conversation, database.integer("SELECT conversation FROM messages WHERE id = ?1", {id}));
  if (!conversation) return not_found("message", id);
  INGLE_TRY(const auto parent, database.integer("SELECT parent FROM messages WHERE id = ?1", {id}));
  std::vector<int64_t> gone;
  INGLE_CHECK(
      database.each("WITH RECURSIVE gone (id) AS (SELECT ?1 UNION"
                    " SELECT m.id FROM messages m, gone WHERE m.parent = gone.id) SELECT id FROM gone",
                    {id}, [&](const Row& row) {
                      gone.push_back(row.integer(0));
                      return Status();
                    }));
  for (const int64_t each : gone) INGLE_CHECK(database.run("DELETE FROM messages WHERE id = ?1", {each}));
  INGLE_CHECK(
      database.run("UPDATE conversations SET changed = ?2, pruned = ?2,"
                   " leaf = CASE WHEN EXISTS (SELECT 1 FROM messages WHERE id = leaf) THEN leaf ELSE ?3 END"
                   " WHERE id = ?1",
                   {*conversation, changed, parent}));
  return gone;
}

/// What has come of a reply that is being written, or whose writer has died.
Status add_pieces(Database& database, Message& message) {
  return database.each("SELECT content, reasoning FROM pieces WHERE message = ?1 ORDER BY number", {message.id},
                       [&](const Row& row) {
                         message.content += row.view(0);
                         message.reasoning += row.view(1);
                         return Status();
                       });
}

}  // namespace

Status ConversationStore::read_messages(Database& database, std::string_view where, std::initializer_list<Value> values,
                                        std::vector<Message>& out) {
  INGLE_CHECK(
      database.each(std::string(kSelectMessage) + " " + std::string(where), values, [&](const Row& row) -> Status {
        INGLE_TRY(Message message, message_of(row));
        out.push_back(std::move(message));
        return {};
      }));
  for (Message& message : out) {
    if (message.state == MessageState::writing) INGLE_CHECK(add_pieces(database, message));
    // What this process writes is known better than the file does.
    if (const auto reply = active(message.id)) reply->show(message);
    if (message.role != Role::user) continue;
    INGLE_CHECK(database.each(
        "SELECT id, name, length(content), characters FROM attachments WHERE message = ?1 ORDER BY id", {message.id},
        [&](const Row& row) {
          message.attachments.push_back({row.integer(0), row.text(1), static_cast<uint64_t>(row.integer(2)),
                                         static_cast<uint64_t>(row.integer(3))});
          return Status();
        }));
  }
  return {};
}

Result<Message> ConversationStore::read_message(Database& database, int64_t id) {
  std::vector<Message> found;
  INGLE_CHECK(read_messages(database, "WHERE id = ?1", {id}, found));
  if (found.empty()) return not_found("message", id);
  return std::move(found.front());
}

Result<Message> ConversationStore::message(int64_t id) {
  return read([&](Database& database) { return read_message(database, id); });
}

Result<ConversationStore::Messages> ConversationStore::messages(int64_t conversation, int64_t since) {
  return read([&](Database& database) -> Result<Messages> {
    Messages out;
    INGLE_TRY(out.conversation, read_conversation(database, conversation));
    INGLE_TRY(const auto pruned, database.integer("SELECT pruned FROM conversations WHERE id = ?1", {conversation}));
    // Who knows messages that were deleted since has to forget them.
    out.whole = since == 0 || pruned.value_or(0) > since;
    INGLE_CHECK(read_messages(database, "WHERE conversation = ?1 AND (changed > ?2 OR state = 'writing') ORDER BY id",
                              {conversation, out.whole ? 0 : since}, out.messages));
    return out;
  });
}

Result<std::vector<Message>> ConversationStore::branch(int64_t id) {
  return read([&](Database& database) -> Result<std::vector<Message>> {
    std::vector<Message> out;
    // A message's parent came before it, so its id is smaller; what says otherwise is damage, and no way to go.
    INGLE_CHECK(read_messages(database,
                              "WHERE id IN (WITH RECURSIVE way (id, parent) AS ("
                              " SELECT id, parent FROM messages WHERE id = ?1 UNION ALL"
                              " SELECT m.id, m.parent FROM messages m, way WHERE m.id = way.parent AND m.id < way.id)"
                              " SELECT id FROM way) ORDER BY id",
                              {id}, out));
    if (out.empty()) return not_found("message", id);
    return out;
  });
}

Result<Message> ConversationStore::add(const NewMessage& message) {
  INGLE_CHECK(check_text("the message", message.content, kLongestMessage));
  INGLE_CHECK(check_text("the reasoning", message.reasoning, kLongestMessage));
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Message> {
    INGLE_CHECK(check_room(database, message.conversation));
    INGLE_CHECK(check_parent(database, message.parent, message.conversation));
    const int64_t time = now();
    INGLE_CHECK(database.run(
        "INSERT INTO messages (conversation, parent, role, content, reasoning, state, model, created, updated, changed)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 'complete', ?6, ?7, ?7, ?8)",
        {message.conversation, message.parent, role_name(message.role), message.content, message.reasoning,
         message.model, time, changed}));
    const int64_t id = database.last_id();
    INGLE_CHECK(attach(database, id, message.attachments));
    INGLE_CHECK(database.run("UPDATE conversations SET leaf = ?2, updated = ?3, changed = ?4 WHERE id = ?1",
                             {message.conversation, id, time, changed}));
    if (message.role == Role::user)
      INGLE_CHECK(database.run("UPDATE conversations SET title = ?2 WHERE id = ?1 AND title = ''",
                               {message.conversation, title_of(message.content)}));
    return read_message(database, id);
  });
}

Status ConversationStore::remove_message(int64_t id) {
  using Ids = std::vector<int64_t>;
  INGLE_TRY(const Ids gone, write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<Ids> {
              INGLE_CHECK(note_words(database));
              return remove_branch(database, id, changed);
            }));
  words_are_due();
  stop_replies([&](const LiveReply& reply) { return std::ranges::find(gone, reply.message()) != gone.end(); });
  return {};
}

// ---- attachments

Result<Attachment> ConversationStore::add_attachment(const std::string& name, std::string_view content,
                                                     std::string_view text) {
  INGLE_CHECK(check_text("the file's name", name, kLongestName));
  INGLE_CHECK(check_text("the file's text", text, kLargestAttachment));
  if (content.size() > kLargestAttachment) return Error{ErrorCode::limit_exceeded, "the file is larger than 24 MB"};
  Attachment made{.name = name, .bytes = content.size()};
  made.characters = base::count_code_points(text);
  return write(Durability::power_cut, [&](Database& database, int64_t) -> Result<Attachment> {
    INGLE_CHECK(
        database.run("INSERT INTO attachments (name, content, text, characters, created) VALUES (?1, ?2, ?3, ?4, ?5)",
                     {name, Bytes{content}, text, static_cast<int64_t>(made.characters), now()}));
    made.id = database.last_id();
    return made;
  });
}

Result<ConversationStore::AttachmentContent> ConversationStore::attachment(int64_t id) {
  return read([id](Database& database) -> Result<AttachmentContent> {
    std::optional<AttachmentContent> found;
    INGLE_CHECK(database.each("SELECT name, content, text FROM attachments WHERE id = ?1", {id}, [&](const Row& row) {
      found = AttachmentContent{row.text(0), row.text(1), row.text(2)};
      return Status();
    }));
    if (!found) return not_found("attachment", id);
    return *std::move(found);
  });
}

}  // namespace ingle::assistant
