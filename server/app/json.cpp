#include "server/app/json.h"

namespace ingle::server {
namespace {

using base::Json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Json to_json(const assistant::Conversation& conversation) {
  return {{"id", conversation.id},
          {"title", conversation.title},
          {"folder", or_null(conversation.folder)},
          {"pinned", conversation.pinned},
          {"temporary", assistant::Conversations::is_temporary(conversation.id)},
          {"model", or_null(conversation.model)},
          {"system", conversation.system},
          {"parameters", conversation.parameters},
          {"leaf", or_null(conversation.leaf)},
          {"size", conversation.size},
          {"created", conversation.created},
          {"updated", conversation.updated},
          {"changed", conversation.changed},
          {"writing", conversation.writing}};
}

Json to_json(const assistant::Attachment& attachment) {
  return {{"id", attachment.id},
          {"name", attachment.name},
          {"bytes", attachment.bytes},
          {"characters", attachment.characters}};
}

Json to_json(const assistant::Message& message) {
  Json attachments = Json::array();
  for (const assistant::Attachment& attachment : message.attachments) attachments.push_back(to_json(attachment));
  return {{"id", message.id},
          {"parent", or_null(message.parent)},
          {"role", role_name(message.role)},
          {"content", message.content},
          {"reasoning", message.reasoning},
          {"state", state_name(message.state)},
          {"error", or_null(message.error)},
          {"model", or_null(message.model)},
          {"report", message.report},
          {"attachments", std::move(attachments)},
          {"created", message.created},
          {"updated", message.updated}};
}

Json to_json(const assistant::Folder& folder) {
  return {{"id", folder.id}, {"name", folder.name}};
}

Json to_json(const assistant::Preset& preset) {
  return {{"id", preset.id}, {"name", preset.name}, {"system", preset.system}, {"parameters", preset.parameters}};
}

Json to_json(const assistant::Found& found) {
  Json snippet = Json::array();
  for (const assistant::Found::Part& part : found.snippet)
    snippet.push_back({{"text", part.text}, {"match", part.match}});
  return {{"conversation", found.conversation}, {"title", found.title},
          {"message", or_null(found.message)},  {"role", found.message ? Json(role_name(found.role)) : Json()},
          {"created", found.created},           {"snippet", std::move(snippet)}};
}

std::string_view finish_name(core::StopReason reason) {
  if (reason == core::StopReason::cancelled) return "cancelled";
  return reason == core::StopReason::length || reason == core::StopReason::context_full ? "length" : "stop";
}

}  // namespace ingle::server
