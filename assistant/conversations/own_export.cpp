// Our own JSON, and Markdown for people.
#include <ctime>

#include "assistant/conversations/interchange.h"
#include "assistant/conversations/rows.h"
#include "base/base64.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr std::string_view kFormat = "ingle-conversations";
constexpr int kVersion = 1;

Json attachments_json(ConversationStore& store, const Message& message) {
  Json list = Json::array();
  for (const Attachment& attachment : message.attachments) {
    const auto content = store.attachment(attachment.id);
    if (!content) continue;  // deleted meanwhile
    list.push_back({{"name", content->name}, {"content", base::to_base64(content->content)}, {"text", content->text}});
  }
  return list;
}

Json message_json(ConversationStore& store, const Message& message) {
  Json json = {
      {"id", std::to_string(message.id)},   {"parent", message.parent ? Json(std::to_string(*message.parent)) : Json()},
      {"role", role_name(message.role)},    {"content", message.content},
      {"state", state_name(message.state)}, {"created", message.created}};
  if (!message.reasoning.empty()) json["reasoning"] = message.reasoning;
  if (!message.model.empty()) json["model"] = message.model;
  if (!message.report.is_null()) json["report"] = message.report;
  if (Json attachments = attachments_json(store, message); !attachments.empty())
    json["attachments"] = std::move(attachments);
  return json;
}

std::string date_of(int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

/// As a text is quoted.
std::string as_quote(std::string_view text) {
  std::string out = "> ";
  for (const char c : text) out += c == '\n' ? std::string("\n> ") : std::string(1, c);
  return out;
}

/// The branch that is shown, for people.
Result<std::string> markdown_of(ConversationStore& store, const Conversation& conversation) {
  std::string out = "# " + (conversation.title.empty() ? "Untitled" : conversation.title) + "\n\n" +
                    date_of(conversation.created) + "\n\n";
  if (!conversation.system.empty()) out += "**System**\n\n" + conversation.system + "\n\n";
  if (!conversation.leaf) return out;
  INGLE_TRY(const auto branch, store.branch(*conversation.leaf));
  for (const Message& message : branch) {
    const bool user = message.role == Role::user;
    out += user ? "**You**\n\n" : "**" + (message.model.empty() ? "Assistant" : message.model) + "**\n\n";
    for (const Attachment& attachment : message.attachments) out += "Attached: " + attachment.name + "\n\n";
    if (!message.reasoning.empty()) out += as_quote(message.reasoning) + "\n\n";
    out += message.content + "\n\n";
  }
  return out;
}

Result<std::string> json_of_conversation(ConversationStore& store, const Conversation& conversation,
                                         const std::vector<Folder>& folders) {
  INGLE_TRY(const auto messages, store.messages(conversation.id));
  INGLE_TRY(const std::string origin, store.origin_of(conversation.id));
  Json json = {{"origin", origin}, {"title", conversation.title}};
  for (const Folder& folder : folders)
    if (conversation.folder == folder.id) json["folder"] = folder.name;
  json["pinned"] = conversation.pinned;
  if (!conversation.model.empty()) json["model"] = conversation.model;
  json["system"] = conversation.system;
  json["parameters"] = conversation.parameters;
  json["created"] = conversation.created;
  json["updated"] = conversation.updated;
  if (conversation.leaf) json["leaf"] = std::to_string(*conversation.leaf);
  json["messages"] = Json::array();
  for (const Message& message : messages.messages) json["messages"].push_back(message_json(store, message));
  return column_text(json);
}

std::vector<ConversationStore::AttachmentContent> read_attachments(const Json& message) {
  std::vector<ConversationStore::AttachmentContent> out;
  const Json* list = member(message, "attachments");
  if (list == nullptr || !list->is_array()) return out;
  for (const Json& each : *list) {
    auto content = base::from_base64(text_of(each, "content"));
    if (content && !text_of(each, "name").empty())
      out.push_back({text_of(each, "name"), *std::move(content), text_of(each, "text")});
  }
  return out;
}

ImportedConversation read_one(const Json& json) {
  ImportedConversation out;
  out.origin = text_of(json, "origin");
  out.title = text_of(json, "title");
  out.folder_name = text_of(json, "folder");
  out.model = text_of(json, "model");
  out.system = text_of(json, "system");
  if (const Json* pinned = member(json, "pinned")) out.pinned = *pinned == true;
  if (const Json* parameters = member(json, "parameters"); parameters != nullptr && parameters->is_object())
    out.parameters = *parameters;
  out.created = time_of(json, "created", 1);
  out.updated = time_of(json, "updated", 1);
  out.leaf = text_of(json, "leaf");
  const Json* messages = member(json, "messages");
  if (messages == nullptr || !messages->is_array()) return out;
  for (const Json& each : *messages) {
    ImportedMessage message;
    message.id = text_of(each, "id");
    message.parent = text_of(each, "parent");
    message.role = find_role(text_of(each, "role")).value_or(Role::user);
    message.content = text_of(each, "content");
    message.reasoning = text_of(each, "reasoning");
    message.model = text_of(each, "model");
    message.state = find_state(text_of(each, "state")).value_or(MessageState::complete);
    if (const Json* report = member(each, "report"); report != nullptr && report->is_object()) message.report = *report;
    message.created = time_of(each, "created", 1);
    message.attachments = read_attachments(each);
    out.messages.push_back(std::move(message));
  }
  return out;
}

}  // namespace

Status export_conversations(ConversationStore& store, ExportFormat format, std::optional<int64_t> conversation,
                            const std::function<Status(std::string_view)>& write) {
  INGLE_TRY(const auto folders, store.folders());
  std::vector<Conversation> all;
  if (conversation) {
    INGLE_TRY(Conversation one, store.find(*conversation));
    all.push_back(std::move(one));
  } else {
    INGLE_TRY(all, store.list({.limit = SIZE_MAX >> 1, .before = {}, .folder = {}}));
  }
  const bool json = format == ExportFormat::json;
  if (json)
    INGLE_CHECK(write("{\"format\": \"" + std::string(kFormat) + "\", \"version\": " + std::to_string(kVersion) +
                      ", \"conversations\": [\n"));
  for (size_t i = 0; i < all.size(); ++i) {
    INGLE_TRY(const std::string text, json ? json_of_conversation(store, all[i], folders) : markdown_of(store, all[i]));
    INGLE_CHECK(write(text));
    if (i + 1 < all.size()) INGLE_CHECK(write(json ? ",\n" : "---\n\n"));
  }
  return json ? write("\n]}\n") : Status();
}

bool is_own_export(const Json& file) {
  return text_of(file, "format") == kFormat;
}

Status read_own_export(const Json& file, const TakeConversation& take, const TellWarning&) {
  const Json* version = member(file, "version");
  if (version == nullptr || *version != kVersion)
    return Error{ErrorCode::unsupported,
                 "this export is of a version that this program does not know; use a newer Ingle"};
  const Json* conversations = member(file, "conversations");
  if (conversations == nullptr || !conversations->is_array())
    return Error{ErrorCode::corrupt, "this export has no conversations"};
  for (const Json& each : *conversations) INGLE_CHECK(take(read_one(each)));
  return {};
}

}  // namespace ingle::assistant
