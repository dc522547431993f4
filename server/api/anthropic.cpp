#include "server/api/anthropic.h"

#include <algorithm>

namespace ingle::server {
namespace {

// Of all kinds of blocks; who reads one asks for its own.
constexpr Field kBlockFields[] = {
    {"type", kText, "", Use::required},
    {"text", kText, ""},
    {"thinking", kText, ""},
    {"signature", "", Use::hint},
    {"id", kText, ""},
    {"name", kText, ""},
    {"input", kObject, ""},
    {"content", kAnthropicTexts, ""},
    {"tool_use_id", kText, ""},
    {"is_error", "", Use::hint},
    {"cache_control", "", Use::hint},
    {"citations", "", Use::hint},
    {"caller", "", Use::hint},
};

// What their values may be, read_tools() says.
constexpr Field kToolFields[] = {
    {"name", kAnything, "", Use::required},
    {"description", kAnything, ""},
    {"input_schema", kAnything, "", Use::required},
    {"type", kAnything, ""},
    {"strict", kAnything, "arguments match the schema in any case"},
    {"cache_control", "", Use::hint},
    {"defer_loading", "", Use::hint},
    {"eager_input_streaming", "", Use::hint},
    {"input_examples", "", Use::hint},
    {"allowed_callers", "only the model calls tools here", Use::refused},
};

std::string text_of(Reader& reader, const base::Json& content, const std::string& path) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array())
    reader.adopt(ApiError{400, "'" + path + "' must be a string or an array of blocks", path, {}, {}});
  for (size_t i = 0; content.is_array() && i < content.size(); ++i) {
    const base::Json& block = content[i];
    const std::string at = path + "[" + std::to_string(i) + "]";
    Reader inner = reader.inside(block, at);
    inner.check(kBlockFields);
    if (inner.text("type").value_or("") != "text") inner.fail("type", "'" + at + "' must be a block of text");
    inner.require("text");
    text += inner.text("text").value_or("");
    reader.adopt(inner.error());
  }
  return text;
}

/// A message's blocks, taken apart: what results tools had are messages of their own for templates.
class Blocks {
 public:
  Blocks(Reader& reader, const std::string& role, const std::string& path) : reader_(reader), path_(path) {
    message_ = {{"role", role}, {"content", ""}};
  }

  void add(const base::Json& block, size_t index) {
    const std::string at = path_ + ".content[" + std::to_string(index) + "]";
    Reader inner = reader_.inside(block, at);
    inner.check(kBlockFields);
    const std::string type = inner.text("type").value_or("");
    const bool assistant = message_["role"] == "assistant";
    if (type == "text") {
      inner.require("text");
      append("content", inner.text("text").value_or(""));
    } else if (type == "thinking" && assistant) {
      append("reasoning_content", inner.text("thinking").value_or(""));
    } else if (type == "tool_use" && assistant) {
      inner.require("name");
      const base::Json* input = inner.object("input");
      message_["tool_calls"].push_back({{"id", inner.text("id").value_or("")},
                                        {"type", "function"},
                                        {"function",
                                         {{"name", inner.text("name").value_or("")},
                                          {"arguments", input == nullptr ? base::Json::object() : *input}}}});
    } else if (type == "tool_result" && !assistant) {
      const base::Json* content = inner.find("content");
      results_.push_back({{"role", "tool"},
                          {"tool_call_id", inner.text("tool_use_id").value_or("")},
                          {"content", content == nullptr ? "" : text_of(reader_, *content, at + ".content")}});
    } else if (!inner.error()) {
      inner.fail("type", "blocks of type '" + type.substr(0, 64) + "' are not supported in messages of this role");
    }
    reader_.adopt(inner.error());
  }

  void move_to(base::Json& messages) {
    const bool empty = message_["content"].get_ref<const std::string&>().empty() && !message_.contains("tool_calls");
    for (base::Json& result : results_) messages.push_back(std::move(result));
    if (!empty || results_.empty()) messages.push_back(std::move(message_));
  }

 private:
  void append(const char* name, const std::string& text) {
    message_[name] = message_.value(name, std::string()) + text;
  }

  Reader& reader_;
  const std::string path_;
  base::Json message_;
  std::vector<base::Json> results_;
};

void read_messages_of(Reader& reader, base::Json& messages) {
  const base::Json* list = reader.array("messages");
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size() && !reader.error(); ++i) {
    const std::string path = "messages[" + std::to_string(i) + "]";
    Reader inner((*list)[i], path);
    const std::string role = inner.text("role").value_or("");
    inner.require("content");
    reader.adopt(inner.error());
    if (reader.error()) return;
    const base::Json& content = *inner.find("content");
    if (content.is_string()) {
      messages.push_back({{"role", role}, {"content", content}});
    } else if (content.is_array()) {
      Blocks blocks(reader, role, path);
      for (size_t b = 0; b < content.size(); ++b) blocks.add(content[b], b);
      blocks.move_to(messages);
    } else {
      reader.fail("messages", "'" + path + ".content' must be a string or an array of blocks");
    }
  }
}

void read_tools_of(Reader& reader, ChatSetup& setup) {
  const base::Json* tools = reader.array("tools");
  const base::Json* choice = reader.object("tool_choice");
  if (tools == nullptr) {
    if (choice != nullptr && choice->value("type", base::Json()) != "none")
      reader.fail("tool_choice", "'tool_choice' needs 'tools'");
    return;
  }
  base::Json functions = base::Json::array();
  for (size_t i = 0; i < tools->size(); ++i) {
    const base::Json& tool = (*tools)[i];
    if (!tool.is_object() || !tool.contains("input_schema"))
      return reader.fail("tools", "'tools' has an item without 'input_schema'; only such tools are supported");
    Reader inner = reader.inside(tool, "tools[" + std::to_string(i) + "]");
    inner.check(kToolFields);
    if (inner.error()) return reader.adopt(inner.error());
    functions.push_back({{"type", "function"},
                         {"function",
                          {{"name", tool.value("name", base::Json())},
                           {"description", tool.value("description", base::Json(""))},
                           {"parameters", tool["input_schema"]}}}});
  }
  base::Json body = {{"tools", std::move(functions)}};
  if (choice != nullptr) {
    const base::Json type = choice->value("type", base::Json());
    body["tool_choice"] = type == "any" ? base::Json("required") : type;
    if (type == "tool")
      body["tool_choice"] = {{"type", "function"}, {"function", {{"name", choice->value("name", base::Json())}}}};
    if (choice->value("disable_parallel_tool_use", base::Json()) == true) body["parallel_tool_calls"] = false;
  }
  Reader inner(body);
  read_tools(inner, setup);
  reader.adopt(inner.error());
  // `body` goes; the prompt's tools are a copy already.
}

}  // namespace

ChatSetup read_anthropic_chat(Reader& reader) {
  ChatSetup setup;
  if (const base::Json* system = reader.find("system"))
    setup.chat.messages.push_back({{"role", "system"}, {"content", text_of(reader, *system, "system")}});
  read_messages_of(reader, setup.chat.messages);
  read_tools_of(reader, setup);
  if (const base::Json* thinking = reader.object("thinking")) {
    setup.chat.enable_thinking = thinking->value("type", base::Json()) != "disabled";
  }
  return setup;
}

AnswerForm read_output_config(Reader& reader) {
  AnswerForm form;
  form.param = "output_config";
  const base::Json* config = reader.object("output_config");
  if (config == nullptr) return form;
  Reader inner(*config, "output_config");
  if (const base::Json* format = inner.object("format")) {
    Reader shape(*format, "output_config.format");
    if (const base::Json* schema = shape.find("schema")) form.expression = json_expression(*schema);
    inner.adopt(shape.error());
  }
  reader.adopt(inner.error());
  return form;
}

}  // namespace ingle::server
