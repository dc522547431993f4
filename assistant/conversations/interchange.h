// Conversations as files: written as JSON of our own or as Markdown; read from our JSON and from what ChatGPT and Open
// WebUI export.
//
// Ours: {"format": "ingle-conversations", "version": 1, "conversations": [{"origin", "title", "folder", "pinned",
// "model", "system", "parameters", "created", "updated", "leaf", "messages": [{"id", "parent", "role", "content",
// "reasoning", "state", "model", "report", "created", "attachments": [{"name", "content" (base64), "text"}]}]}]}.
// "folder" is a name, "leaf" and "parent" are ids within the file, times are milliseconds since 1970.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/conversations/conversation_store.h"
#include "base/json.h"

namespace ingle::assistant {

/// A conversation from elsewhere. Ids are those of its file.
struct ImportedMessage {
  std::string id, parent;  ///< parent: empty, or unknown: it begins the conversation
  Role role = Role::user;
  std::string content, reasoning, model;
  MessageState state = MessageState::complete;
  base::Json report;
  int64_t created = 0;
  std::vector<ConversationStore::AttachmentContent> attachments;
};
struct ImportedConversation : ConversationSettings {
  std::string origin;  ///< the same for the same conversation, however often it is exported
  std::string folder_name;
  std::string leaf;
  int64_t created = 0, updated = 0;
  std::vector<ImportedMessage> messages;  ///< in any order
};

/// The most that a file may have.
inline constexpr size_t kLargestImport = size_t{1} << 30;

/// Calls `take` with each conversation of a file's text. What can't be read of it is told by `warn`, once a kind.
/// Errors: corrupt (no JSON), unsupported (of no known form; says which there are), what `take` returns.
base::Status read_conversations(std::string_view text, const std::function<base::Status(ImportedConversation)>& take,
                                const std::function<void(const std::string&)>& warn);

struct ImportCount {
  int64_t imported = 0, skipped = 0;  ///< skipped: were there already
  std::vector<std::string> warnings;
};
/// Reads a file's text into the store. Conversations that were taken before an error stay.
base::Result<ImportCount> import_conversations(ConversationStore& store, std::string_view text);

enum class ExportFormat { json, markdown };
/// All conversations, or one, in pieces of text.
base::Status export_conversations(ConversationStore& store, ExportFormat format, std::optional<int64_t> conversation,
                                  const std::function<base::Status(std::string_view)>& write);

// Of the forms, one file each.
using TakeConversation = std::function<base::Status(ImportedConversation)>;
using TellWarning = std::function<void(const std::string&)>;
bool is_own_export(const base::Json& file);
base::Status read_own_export(const base::Json& file, const TakeConversation& take, const TellWarning& warn);
bool is_chatgpt_export(const base::Json& file);
base::Status read_chatgpt_export(const base::Json& file, const TakeConversation& take, const TellWarning& warn);
bool is_open_webui_export(const base::Json& file);
base::Status read_open_webui_export(const base::Json& file, const TakeConversation& take, const TellWarning& warn);

// What files of any form need: members of an object that may be missing or of another type.
const base::Json* member(const base::Json& object, std::string_view name);
std::string text_of(const base::Json& object, std::string_view name);
/// A number, or a text of digits; seconds where `scale` is 1000.
int64_t time_of(const base::Json& object, std::string_view name, double scale);

}  // namespace ingle::assistant
