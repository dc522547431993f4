// conversations.json of ChatGPT's export: a list of conversations, whose messages are a tree in "mapping":
//   [{"title", "create_time", "update_time", "conversation_id" or "id", "current_node", "mapping": {ID: {"parent",
//     "message": null or {"author": {"role"}, "create_time", "content": {"content_type", "parts" or "text" or
//     "thoughts"}, "metadata": {"model_slug", "is_visually_hidden_from_conversation"}}}}}]
// Times are seconds. The form is not documented; this is what exports of 2023 to 2026 have.
#include <map>

#include "assistant/conversations/interchange.h"

namespace ingle::assistant {
namespace {

using base::Json;
using base::Status;

/// The texts of a message; images and the like leave a note.
std::string parts_of(const Json& content, const TellWarning& warn) {
  std::string out;
  const Json* parts = member(content, "parts");
  if (parts == nullptr || !parts->is_array()) return text_of(content, "text");
  for (const Json& part : *parts) {
    std::string text = part.is_string() ? part.get<std::string>() : text_of(part, "text");
    if (!part.is_string() && text.empty() && part.is_object()) {
      warn("images and other files are not part of the export's text; where they stood there is a note");
      text = "[" + (text_of(part, "content_type").empty() ? "file" : text_of(part, "content_type")) + "]";
    }
    if (text.empty()) continue;
    out += (out.empty() ? "" : "\n\n") + text;
  }
  return out;
}

std::string thoughts_of(const Json& content) {
  std::string out;
  const Json* thoughts = member(content, "thoughts");
  if (thoughts == nullptr || !thoughts->is_array()) return text_of(content, "content");
  for (const Json& thought : *thoughts) out += (out.empty() ? "" : "\n\n") + text_of(thought, "content");
  return out;
}

bool is_hidden(const Json& message) {
  const Json* metadata = member(message, "metadata");
  const Json* hidden = metadata != nullptr ? member(*metadata, "is_visually_hidden_from_conversation") : nullptr;
  return hidden != nullptr && *hidden == true;
}

/// A node of the tree. One without anything to show keeps its place, so that those that follow it stay connected.
ImportedMessage read_node(const std::string& id, const Json& node, const TellWarning& warn) {
  ImportedMessage out;
  out.id = id;
  out.parent = text_of(node, "parent");
  const Json* message = member(node, "message");
  const Json* content = message != nullptr ? member(*message, "content") : nullptr;
  const Json* author = message != nullptr ? member(*message, "author") : nullptr;
  if (content == nullptr || author == nullptr || is_hidden(*message)) return out;
  const std::string role = text_of(*author, "role"), type = text_of(*content, "content_type");
  if (role == "system" || type == "user_editable_context" || type == "model_editable_context") return out;
  out.role = role == "user" ? Role::user : role == "tool" ? Role::tool : Role::assistant;
  out.created = time_of(*message, "create_time", 1000);
  if (const Json* metadata = member(*message, "metadata")) out.model = text_of(*metadata, "model_slug");
  if (type == "thoughts" || type == "reasoning_recap") {
    out.reasoning = thoughts_of(*content);
  } else if (type == "code" || type == "execution_output") {
    out.content = "```\n" + text_of(*content, "text") + "\n```";
  } else {
    out.content = parts_of(*content, warn);
  }
  return out;
}

/// Some programs that write this form name children only.
void add_parents(const Json& mapping, std::vector<ImportedMessage>& messages) {
  std::map<std::string, std::string> parents;
  for (const auto& [key, node] : mapping.items()) {
    const Json* children = member(node, "children");
    if (children == nullptr || !children->is_array()) continue;
    for (const Json& child : *children)
      if (child.is_string()) parents.emplace(child.get<std::string>(), key);
  }
  for (ImportedMessage& message : messages)
    if (const auto found = parents.find(message.id); message.parent.empty() && found != parents.end())
      message.parent = found->second;
}

}  // namespace

bool is_chatgpt_export(const Json& file) {
  return file.is_array() && (file.empty() || member(file.front(), "mapping") != nullptr);
}

Status read_chatgpt_export(const Json& file, const TakeConversation& take, const TellWarning& warn) {
  for (const Json& each : file) {
    const Json* mapping = member(each, "mapping");
    if (mapping == nullptr || !mapping->is_object()) {
      warn("a conversation without messages was left out");
      continue;
    }
    ImportedConversation conversation;
    std::string id = text_of(each, "conversation_id");
    if (id.empty()) id = text_of(each, "id");
    if (!id.empty()) conversation.origin = "chatgpt:" + id;
    conversation.title = text_of(each, "title");
    conversation.created = time_of(each, "create_time", 1000);
    conversation.updated = time_of(each, "update_time", 1000);
    conversation.leaf = text_of(each, "current_node");
    for (const auto& [key, node] : mapping->items()) conversation.messages.push_back(read_node(key, node, warn));
    add_parents(*mapping, conversation.messages);
    INGLE_CHECK(take(std::move(conversation)));
  }
  return {};
}

}  // namespace ingle::assistant
