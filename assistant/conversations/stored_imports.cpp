// Conversations from files, as a tree that is ours.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "assistant/conversations/interchange.h"
#include "assistant/conversations/rows.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

/// As much of a text as fits, and only UTF-8.
std::string_view fitting(std::string_view text, size_t most_bytes) {
  text = text.substr(0, most_bytes);
  return text.substr(0, base::find_invalid_utf8(text));
}

/// The messages that have something to show, each after its parent, which is the nearest before it that has. Of those
/// in a circle, none is reached.
class Tree {
 public:
  explicit Tree(const std::vector<ImportedMessage>& messages) : messages_(messages) {
    for (size_t i = 0; i < messages.size(); ++i) places_.emplace(messages[i].id, i);
    children_.resize(messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      const auto parent = places_.find(messages[i].parent);
      const bool own = parent != places_.end() && parent->second != i && !messages[i].parent.empty();
      (own ? children_[parent->second] : roots_).push_back(i);
    }
  }

  struct Node {
    size_t place;
    std::optional<size_t> parent;  ///< a place
  };
  std::vector<Node> in_order() const {
    std::vector<Node> out, waiting;
    for (auto root = roots_.rbegin(); root != roots_.rend(); ++root) waiting.push_back({*root, {}});
    while (!waiting.empty()) {
      const Node node = waiting.back();
      waiting.pop_back();
      const bool shown = has_something(messages_[node.place]);
      if (shown) out.push_back(node);
      const auto& next = children_[node.place];
      for (auto child = next.rbegin(); child != next.rend(); ++child)
        waiting.push_back({*child, shown ? std::optional(node.place) : node.parent});
    }
    return out;
  }

  static bool has_something(const ImportedMessage& message) {
    return !message.content.empty() || !message.reasoning.empty() || !message.attachments.empty();
  }
  std::optional<size_t> place_of(const std::string& id) const {
    const auto found = places_.find(id);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const std::vector<ImportedMessage>& messages_;
  std::unordered_map<std::string_view, size_t> places_;
  std::vector<std::vector<size_t>> children_;
  std::vector<size_t> roots_;
};

Result<int64_t> insert_message(Database& database, const ImportedMessage& message, int64_t conversation,
                               std::optional<int64_t> parent, int64_t time, int64_t changed) {
  const MessageState state = message.state == MessageState::writing ? MessageState::interrupted : message.state;
  const std::string report = message.report.is_null() ? std::string() : column_text(message.report);
  INGLE_CHECK(database.run(
      "INSERT INTO messages (conversation, parent, role, content, reasoning, state, model, report, created, updated,"
      " changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
      {conversation, parent, role_name(message.role), fitting(message.content, kLongestMessage),
       fitting(message.reasoning, kLongestMessage), state_name(state), fitting(message.model, kLongestName),
       report.empty() ? std::nullopt : std::optional(std::string_view(report)), time, changed}));
  const int64_t id = database.last_id();
  for (const ConversationStore::AttachmentContent& file : message.attachments) {
    const std::string_view text = fitting(file.text, kLargestAttachment);
    if (file.content.size() > kLargestAttachment) continue;
    INGLE_CHECK(
        database.run("INSERT INTO attachments (message, name, content, text, characters, created)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     {id, fitting(file.name, kLongestName), Bytes{file.content}, text,
                      static_cast<int64_t>(base::count_code_points(text)), time}));
  }
  return id;
}

Result<std::optional<int64_t>> folder_of(Database& database, const std::string& name, int64_t changed) {
  const std::string_view shown = fitting(name, kLongestName);
  if (shown.empty()) return std::optional<int64_t>();
  INGLE_TRY(const auto found, database.integer("SELECT id FROM folders WHERE name = ?1", {shown}));
  if (found) return found;
  INGLE_CHECK(database.run("INSERT INTO folders (name) VALUES (?1)", {shown}));
  const int64_t id = database.last_id();
  INGLE_CHECK(database.run("UPDATE state SET value = ?1 WHERE name = 'folders'", {changed}));
  return std::optional(id);
}

}  // namespace

Result<std::string> ConversationStore::origin_of(int64_t id) {
  return read([id](Database& database) -> Result<std::string> {
    INGLE_TRY(const auto origin, database.text("SELECT origin FROM conversations WHERE id = ?1", {id}));
    if (origin) return *origin;
    INGLE_TRY(const Conversation own, read_conversation(database, id));
    // Nobody has two of the same number and moment.
    return "ingle:" + std::to_string(own.created) + "-" + std::to_string(id);
  });
}

Result<bool> ConversationStore::import(const ImportedConversation& conversation) {
  if (conversation.messages.size() > static_cast<size_t>(kMostMessagesKept))
    return Error{ErrorCode::limit_exceeded, "a conversation of the file has over 100,000 messages"};
  return write(Durability::power_cut, [&](Database& database, int64_t changed) -> Result<bool> {
    if (!conversation.origin.empty()) {
      INGLE_TRY(const auto there, database.integer("SELECT 1 FROM conversations WHERE origin = ?1"
                                                   " OR (origin IS NULL AND 'ingle:' || created || '-' || id = ?1)",
                                                   {conversation.origin}));
      if (there) return false;
    }
    INGLE_TRY(const auto folder, folder_of(database, conversation.folder_name, changed));
    const int64_t created = conversation.created > 0 ? conversation.created : now();
    const int64_t updated = std::max(conversation.updated, created);
    const std::string parameters = conversation.parameters.is_object() ? column_text(conversation.parameters) : "{}";
    INGLE_CHECK(database.run(
        "INSERT INTO conversations (title, folder, pinned, system, parameters, origin, created, updated, changed)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        {fitting(conversation.title, kLongestTitle), folder, conversation.pinned,
         fitting(conversation.system, kLongestSystem), parameters.size() < kLongestSystem ? parameters : "{}",
         conversation.origin.empty() ? std::nullopt : std::optional(fitting(conversation.origin, kLongestTitle)),
         created, updated, changed}));
    const int64_t id = database.last_id();
    const Tree tree(conversation.messages);
    std::unordered_map<size_t, int64_t> ids;
    int64_t last = 0;
    for (const Tree::Node& node : tree.in_order()) {
      const ImportedMessage& message = conversation.messages[node.place];
      const auto parent = node.parent ? std::optional(ids.at(*node.parent)) : std::nullopt;
      INGLE_TRY(last, insert_message(database, message, id, parent, message.created > 0 ? message.created : created,
                                     changed));
      ids.emplace(node.place, last);
    }
    const auto leaf = tree.place_of(conversation.leaf);
    const auto shown = leaf ? ids.find(*leaf) : ids.end();
    if (last != 0)
      INGLE_CHECK(database.run("UPDATE conversations SET leaf = ?2 WHERE id = ?1",
                               {id, shown == ids.end() ? last : shown->second}));
    return true;
  });
}

}  // namespace ingle::assistant
