// Open WebUI's export: a list of chats, or one, whose messages are a tree in "chat.history":
//   [{"id", "title", "created_at", "updated_at" (seconds), "pinned", "chat": {"title", "system", "params": {…},
//     "models": [NAME], "history": {"currentId", "messages": {ID: {"parentId", "role", "content" (a text or parts),
//     "timestamp" (seconds), "model"}}}}}]
// What a model thought stands in the content, as <details type="reasoning" …><summary>…</summary>\n> …\n</details>.
#include <algorithm>

#include "assistant/conversations/interchange.h"

namespace ingle::assistant {
namespace {

using base::Json;
using base::Status;

/// "> a\n> b" as "a\nb", with the five entities of HTML.
std::string unquoted(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("> "))
      line.remove_prefix(2);
    else if (line.starts_with(">"))
      line.remove_prefix(1);
    else if (line.starts_with("&gt; "))
      line.remove_prefix(5);
    out += (out.empty() ? "" : "\n") + std::string(line);
  }
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"&lt;", "<"},
                                 {"&gt;", ">"},
                                 {"&quot;", "\""},
                                 {"&#x27;", "'"},
                                 {"&amp;", "&"}})
    for (size_t at = 0; (at = out.find(from, at)) != std::string::npos; at += to.size())
      out.replace(at, from.size(), to);
  return out;
}

/// Takes the reasoning out of a content.
void split_reasoning(std::string& content, std::string& reasoning) {
  constexpr std::string_view kBegin = "<details type=\"reasoning\"", kSummary = "</summary>", kEnd = "</details>";
  size_t begin = 0;
  while ((begin = content.find(kBegin, begin)) != std::string::npos) {
    const size_t end = content.find(kEnd, begin);
    if (end == std::string::npos) return;
    size_t text = content.find(kSummary, begin);
    if (text == std::string::npos || text > end)
      text = std::min(content.find('>', begin) + 1, end);
    else
      text += kSummary.size();
    std::string_view inside = std::string_view(content).substr(text, end - text);
    inside.remove_prefix(std::min(inside.find_first_not_of('\n'), inside.size()));
    while (!inside.empty() && inside.back() == '\n') inside.remove_suffix(1);
    reasoning += (reasoning.empty() ? "" : "\n\n") + unquoted(inside);
    content.erase(begin, end + kEnd.size() - begin);
    if (begin == 0) content.erase(0, std::min(content.find_first_not_of("\r\n "), content.size()));
  }
}

std::string content_of(const Json& message, const TellWarning& warn) {
  const Json* content = member(message, "content");
  if (content == nullptr) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string out;
  if (!content->is_array()) return out;
  for (const Json& part : *content) {
    if (text_of(part, "type") == "text")
      out += (out.empty() ? "" : "\n\n") + text_of(part, "text");
    else
      warn("images and other files are not taken over");
  }
  return out;
}

ImportedMessage read_message(const std::string& id, const Json& json, const TellWarning& warn) {
  ImportedMessage out;
  out.id = id;
  out.parent = text_of(json, "parentId");
  const std::string role = text_of(json, "role");
  if (role == "system") return out;  // keeps its place
  out.role = role == "assistant" ? Role::assistant : role == "tool" ? Role::tool : Role::user;
  out.content = content_of(json, warn);
  if (out.role == Role::assistant) split_reasoning(out.content, out.reasoning);
  out.model = text_of(json, "model");
  out.created = time_of(json, "timestamp", 1000);
  const Json* files = member(json, "files");
  if (files != nullptr && !files->empty()) warn("images and other files are not taken over");
  return out;
}

/// Those parameters that we know, too.
Json parameters_of(const Json& params) {
  Json out = Json::object();
  for (const char* name : {"temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed"})
    if (const Json* value = member(params, name); value != nullptr && value->is_number()) out[name] = *value;
  return out;
}

ImportedConversation read_chat(const Json& each, const Json& chat, const TellWarning& warn) {
  ImportedConversation out;
  if (const std::string id = text_of(each, "id"); !id.empty()) out.origin = "open-webui:" + id;
  out.title = text_of(each, "title").empty() ? text_of(chat, "title") : text_of(each, "title");
  out.created = time_of(each, "created_at", 1000);
  out.updated = time_of(each, "updated_at", 1000);
  if (out.created == 0) out.created = time_of(chat, "timestamp", 1);
  if (const Json* pinned = member(each, "pinned")) out.pinned = *pinned == true;
  out.system = text_of(chat, "system");
  if (const Json* params = member(chat, "params")) {
    out.parameters = parameters_of(*params);
    if (out.system.empty()) out.system = text_of(*params, "system");
  }
  const Json* history = member(chat, "history");
  const Json* messages = history != nullptr ? member(*history, "messages") : nullptr;
  if (messages == nullptr || !messages->is_object()) return out;
  out.leaf = text_of(*history, "currentId");
  for (const auto& [id, message] : messages->items()) out.messages.push_back(read_message(id, message, warn));
  return out;
}

}  // namespace

bool is_open_webui_export(const Json& file) {
  const Json* first = file.is_array() ? (file.empty() ? nullptr : &file.front()) : &file;
  const Json* chat = first != nullptr ? member(*first, "chat") : nullptr;
  return chat != nullptr && member(*chat, "history") != nullptr;
}

Status read_open_webui_export(const Json& file, const TakeConversation& take, const TellWarning& warn) {
  const Json list = file.is_array() ? Json() : Json::array({file});
  for (const Json& each : file.is_array() ? file : list) {
    const Json* chat = member(each, "chat");
    if (chat == nullptr) {
      warn("a chat without messages was left out");
      continue;
    }
    INGLE_CHECK(take(read_chat(each, *chat, warn)));
  }
  return {};
}

}  // namespace ingle::assistant
