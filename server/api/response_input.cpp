#include "server/api/response_input.h"

#include <string>

#include "server/api/chat.h"
#include "server/api/openai.h"

namespace ingle::server {
namespace {

constexpr std::string_view kItemRoles[] = {"system", "developer", "user", "assistant"};
constexpr Type kContent = described(R"({"anyOf": [{"type": "string"}, {"type": "array"}]})");
constexpr Field kMessageItem[] = {
    {"type", kText, ""},
    {"role", one_of(kItemRoles), "", Use::required},
    {"content", kContent, "a text or parts of text", Use::required},
    {"id", kText, ""},
    {"status", kText, ""},
    {"phase", "", Use::hint},
};
constexpr Field kCallItem[] = {
    {"type", kText, ""},
    {"call_id", kText, "", Use::required},
    {"name", kText, "", Use::required},
    {"arguments", kText, "", Use::required},
    {"id", kText, ""},
    {"status", kText, ""},
    {"caller", "", Use::hint},
    {"parsed_arguments", "what the Python client made of 'arguments'", Use::hint},
    {"namespace", "tools have none here", Use::refused},
    {"async", "calls are answered one after the other", Use::refused},
};
constexpr Field kResultItem[] = {
    {"type", kText, ""},
    {"call_id", kText, "", Use::required},
    {"output", kContent, "a text or parts of text", Use::required},
    {"id", kText, ""},
    {"status", kText, ""},
    {"caller", "", Use::hint},
    {"name", "", Use::hint},
    {"namespace", "", Use::hint},
};
constexpr Field kReasoningItem[] = {
    {"type", kText, ""}, {"summary", array({}), "texts"}, {"content", array({}), "texts"},
    {"id", kText, ""},   {"status", kText, ""},           {"encrypted_content", "", Use::hint},
};

std::string id_of(Reader& item, std::string_view prefix) {
  const std::string id = item.text("id").value_or("");
  return id.empty() ? new_id(prefix) : id;
}

std::string content_of(Reader& item, std::string_view name) {
  const base::Json* content = item.find(name);
  return content == nullptr || item.error() ? std::string() : read_content(item, *content, item.path_of(name));
}

base::Json read_message(Reader& item) {
  item.check(kMessageItem);
  const std::string role = item.text("role").value_or("");
  const bool answers = role == "assistant";
  base::Json part = {{"type", answers ? "output_text" : "input_text"}, {"text", content_of(item, "content")}};
  if (answers) part["annotations"] = base::Json::array();
  return {{"type", "message"},
          {"id", id_of(item, "msg_")},
          {"status", "completed"},
          {"role", role},
          {"content", base::Json::array({std::move(part)})}};
}

base::Json read_call(Reader& item) {
  item.check(kCallItem);
  return {{"type", "function_call"},
          {"id", id_of(item, "fc_")},
          {"status", "completed"},
          {"call_id", item.text("call_id").value_or("")},
          {"name", item.text("name").value_or("")},
          {"arguments", item.text("arguments").value_or("")}};
}

base::Json read_result(Reader& item) {
  item.check(kResultItem);
  return {{"type", "function_call_output"},
          {"id", id_of(item, "fco_")},
          {"status", "completed"},
          {"call_id", item.text("call_id").value_or("")},
          {"output", content_of(item, "output")}};
}

/// [{type, text}] with parts of one type.
base::Json read_texts(Reader& item, std::string_view name, std::string_view type) {
  base::Json texts = base::Json::array();
  const base::Json* parts = item.array(name);
  if (parts == nullptr) return texts;
  for (const base::Json& part : *parts) {
    const bool fits = part.is_object() && part.value("type", base::Json()) == type && part.contains("text") &&
                      part["text"].is_string();
    if (!fits) {
      item.fail(name, "'" + item.path_of(name) + "' has an item that is no " + std::string(type));
      break;
    }
    texts.push_back({{"type", type}, {"text", part["text"]}});
  }
  return texts;
}

base::Json read_reasoning(Reader& item) {
  item.check(kReasoningItem);
  return {{"type", "reasoning"},
          {"id", id_of(item, "rs_")},
          {"status", "completed"},
          {"summary", read_texts(item, "summary", "summary_text")},
          {"content", read_texts(item, "content", "reasoning_text")}};
}

base::Json read_item(Reader& reader, const base::Json& json, const std::string& path) {
  Reader item = reader.inside(json, path);
  const std::string type = item.text("type").value_or("message");
  base::Json result;
  if (type == "message") {
    result = read_message(item);
  } else if (type == "function_call") {
    result = read_call(item);
  } else if (type == "function_call_output") {
    result = read_result(item);
  } else if (type == "reasoning") {
    result = read_reasoning(item);
  } else {
    item.fail("type", "items of type '" + type.substr(0, 64) + "' are not supported", "unsupported_value");
  }
  reader.adopt(item.error());
  return result;
}

std::string joined(const base::Json& parts) {
  std::string text;
  for (const base::Json& part : parts) text += part.value("text", std::string());
  return text;
}

/// Items one after the other, as messages.
class Messages {
 public:
  void add(const base::Json& item) {
    const std::string type = item.value("type", std::string());
    if (type == "message") {
      add_message(item.value("role", std::string()), joined(item["content"]));
    } else if (type == "function_call") {
      add_call(item);
    } else if (type == "function_call_output") {
      messages_.push_back({{"role", "tool"}, {"tool_call_id", item["call_id"]}, {"content", item["output"]}});
    } else if (type == "reasoning") {
      const std::string thought = joined(item["content"].empty() ? item["summary"] : item["content"]);
      answer(true)["reasoning_content"] = thought;
    }
  }
  base::Json take() { return std::move(messages_); }

 private:
  void add_message(const std::string& role, const std::string& text) {
    if (role == "assistant") {
      answer(true)["content"] = text;
    } else {
      messages_.push_back({{"role", role == "developer" ? "system" : role}, {"content", text}});
    }
  }
  void add_call(const base::Json& item) {
    const auto arguments = base::parse_json(item["arguments"].get_ref<const std::string&>());
    const base::Json function = {{"name", item["name"]},
                                 {"arguments", arguments && arguments->is_object() ? *arguments : item["arguments"]}};
    answer(false)["tool_calls"].push_back({{"id", item["call_id"]}, {"type", "function"}, {"function", function}});
  }
  /// The assistant's message that goes on, or a new one: also where a text is to be new and it has one, or calls.
  base::Json& answer(bool new_text) {
    const bool goes_on = !messages_.empty() && messages_.back()["role"] == "assistant";
    const bool said = goes_on && !messages_.back()["content"].get_ref<const std::string&>().empty();
    if (!goes_on || (new_text && (said || messages_.back().contains("tool_calls"))))
      messages_.push_back({{"role", "assistant"}, {"content", ""}});
    return messages_.back();
  }

  base::Json messages_ = base::Json::array();
};

}  // namespace

base::Json read_input(Reader& reader) {
  base::Json items = base::Json::array();
  const base::Json* input = reader.find("input");
  if (input == nullptr) return items;
  if (input->is_string()) {
    const base::Json message = {{"role", "user"}, {"content", *input}};
    items.push_back(read_item(reader, message, "input"));
    return items;
  }
  if (!input->is_array() || input->empty() || input->size() > kMostItems) {
    reader.fail("input", "'input' must be a text or an array of 1 to " + std::to_string(kMostItems) + " items");
    return items;
  }
  for (size_t i = 0; i < input->size() && !reader.error(); ++i)
    items.push_back(read_item(reader, (*input)[i], "input[" + std::to_string(i) + "]"));
  return items;
}

base::Json messages_of(const std::vector<Items>& conversation) {
  Messages messages;
  for (const Items& items : conversation)
    for (const base::Json& item : items->items) messages.add(item);
  return messages.take();
}

}  // namespace ingle::server
