// What models are told whose templates know no tools, through the published templates themselves; and that each dialect
// reads and allows the calls that it writes.
#include "assistant/dialects/tool_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "assistant/dialects/reply.h"
#include "assistant/dialects/test_cases.h"
#include "assistant/dialects/test_grammar.h"
#include "base/test_source_folder.h"

namespace ingle::assistant {
namespace {

using base::Json;
using testing::HasSubstr;
using testing::Not;

constexpr core::TemplateAbilities kNone{.system = false, .tools = false, .calls = false, .results = false};

std::string source(std::string_view name) {
  std::ifstream file(source_folder() + "/tests/data/template/models/" + std::string(name) + ".jinja", std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

core::ChatTemplate parsed(std::string_view name) {
  return core::ChatTemplate::parse(source(name)).value();
}

Json parse(std::string_view text) {
  return base::parse_json(text).value();
}

Json weather_tools() {
  return parse(R"([{"type": "function", "function": {"name": "get_weather", "description": "Weather, \"now\" {call}",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}}}])");
}
constexpr std::string_view kListed =
    R"([{"name": "get_weather", "description": "Weather, \"now\" {call}", "parameters": {"type": "object", )"
    R"("properties": {"location": {"type": "string"}}, "required": ["location"]}}])";

Json call(std::string_view name, const Json& arguments) {
  return {{"id", "call00001"}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
}

Json assistant_calls(const Json& calls, std::string_view content = "") {
  return {{"role", "assistant"}, {"content", content}, {"tool_calls", calls}};
}

/// What the dialect writes for these calls.
std::string written(const Dialect& dialect, const Json& calls) {
  return messages_with_tools(dialect, kNone, Json::array({assistant_calls(calls)}), nullptr)[0]["content"];
}

std::string rendered(const core::ChatTemplate& chat_template, const Json& messages, const Json& tools) {
  const auto text = chat_template.render(
      {{"messages", messages}, {"tools", tools}, {"add_generation_prompt", true}, {"bos_token", "<bos>"}});
  EXPECT_TRUE(text.ok()) << text.error().message;
  return text ? *text : "";
}

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// As the publishers show it.
struct Form {
  std::string_view dialect, one, two;
};
constexpr Form forms[] = {
    {"generic", R"({"name": "get_weather", "arguments": {"location": "Paris"}})",
     R"({"name": "ping", "arguments": {}})"},
    {"smollm", R"(<tool_call>[{"name": "get_weather", "arguments": {"location": "Paris"}}]</tool_call>)",
     R"(<tool_call>[{"name": "ping", "arguments": {}}]</tool_call>)"},
    {"hermes", "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}\n</tool_call>",
     "<tool_call>\n{\"name\": \"ping\", \"arguments\": {}}\n</tool_call>"},
    {"gemma", R"({"name": "get_weather", "parameters": {"location": "Paris"}})",
     R"({"name": "ping", "parameters": {}})"},
    {"llama3", R"({"name": "get_weather", "parameters": {"location": "Paris"}})",
     R"({"name": "ping", "parameters": {}})"},
    {"phi", R"(<|tool_call|>[{"name": "get_weather", "arguments": {"location": "Paris"}}]<|/tool_call|>)",
     R"(<|tool_call|>[{"name": "ping", "arguments": {}}]<|/tool_call|>)"},
    {"lfm2", R"(<|tool_call_start|>[get_weather(location="Paris")]<|tool_call_end|>)",
     "<|tool_call_start|>[ping()]<|tool_call_end|>"},
    {"mistral", R"([TOOL_CALLS]get_weather[ARGS]{"location": "Paris"})", "[TOOL_CALLS]ping[ARGS]{}"},
    {"mistral_list", R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"location": "Paris"}, "id": "000000000"}])",
     R"([TOOL_CALLS][{"name": "ping", "arguments": {}, "id": "000000000"}])"},
    {"deepseek",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
     "{\"location\": \"Paris\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>ping\n```json\n"
     "{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
    {"deepseek_v31",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"location\": \"Paris\"}"
     "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>ping<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
};

TEST(ToolPrompt, CallsAreWrittenAsPublished) {
  size_t writers = 0;
  for (const Dialect* dialect : all_dialects()) writers += dialect->form.write != nullptr ? 1 : 0;
  EXPECT_EQ(writers, std::size(forms));
  for (const Form& form : forms) {
    SCOPED_TRACE(form.dialect);
    const Dialect& dialect = *find_dialect(form.dialect);
    EXPECT_EQ(written(dialect, Json::array({call("get_weather", {{"location", "Paris"}})})), form.one);
    EXPECT_EQ(written(dialect, Json::array({call("ping", nullptr)})), form.two);
  }
}

TEST(ToolPrompt, WhatADialectWritesItReadsAndAllows) {
  const std::pair<std::string_view, Json> calls[] = {
      {"run", parse(R"({"code": "if a < b: print('{x}')\n\t# <tool_call> </think> \\ é 東 🦜", "count": -5,
                        "flag": true})")},
      {"get_weather", parse(R"({"location": "Zürich", "days": [1, 2]})")},
      {"ping", Json::object()}};
  for (const Form& form : forms) {
    SCOPED_TRACE(form.dialect);
    const Dialect& dialect = *find_dialect(form.dialect);
    Json list = Json::array();
    for (const auto& [name, arguments] : calls) list.push_back(call(name, arguments));
    const std::string text = written(dialect, list);
    SCOPED_TRACE(text);
    const Reply reply = parse_reply(dialect, test_tools(), text);
    EXPECT_TRUE(reply.notes.empty());
    EXPECT_EQ(reply.content, "");
    ASSERT_EQ(reply.calls.size(), std::size(calls));
    for (size_t i = 0; i < std::size(calls); ++i) {
      EXPECT_EQ(reply.calls[i].name, calls[i].first);
      EXPECT_EQ(parse(reply.calls[i].arguments), calls[i].second);
    }
    const auto grammar =
        tool_grammar(dialect, test_tools(), {.choice = ToolChoice::required, .name = {}, .answer = {}});
    ASSERT_TRUE(grammar.ok());
    EXPECT_TRUE(grammar_matches(*grammar, text));
  }
}

/// A conversation with everything in it.
Json conversation() {
  return Json::array({{{"role", "system"}, {"content", "Be brief."}},
                      {{"role", "user"}, {"content", "Is it raining?"}},
                      assistant_calls(Json::array({call("get_weather", {{"location", "Oslo"}}),
                                                   call("get_weather", R"({"location": "Bergen"})")}),
                                      "I look."),
                      {{"role", "tool"}, {"content", "dry-in-oslo"}, {"tool_call_id", "call00001"}},
                      {{"role", "tool"}, {"content", "rain-in-bergen"}, {"tool_call_id", "call00002"}},
                      {{"role", "user"}, {"content", "Thanks. And in Rome?"}}});
}

struct Row {
  std::string_view file, dialect;
};
constexpr Row ignorant[] = {
    {"gguf-smollm2-135m", "smollm"}, {"HuggingFaceTB-SmolLM3-3B", "smollm"},     {"google-gemma-2-2b-it", "gemma"},
    {"lenml-gemma3", "gemma"},       {"microsoft-Phi-3.5-mini-instruct", "phi"}, {"lenml-llama3", "llama3"},
    {"lenml-llama3_1", "llama3"},    {"lenml-deepseek_v3", "deepseek"},
};

/// The texts that stand in `text` in this order.
void expect_in_order(std::string_view text, std::initializer_list<std::string_view> parts) {
  size_t at = 0;
  for (const std::string_view part : parts) {
    const size_t found = text.find(part, at);
    ASSERT_NE(found, text.npos) << part;
    at = found + part.size();
  }
}

TEST(ToolPrompt, ReachesTheModelThroughItsOwnTemplate) {
  for (const Row& row : ignorant) {
    SCOPED_TRACE(row.file);
    const core::ChatTemplate chat_template = parsed(row.file);
    const core::TemplateAbilities abilities = core::abilities_of(chat_template);
    const Dialect& dialect = choose_dialect({.chat_template = chat_template.source()});
    EXPECT_EQ(dialect.name, row.dialect);
    EXPECT_FALSE(abilities.tools);
    Json messages = conversation();
    if (!abilities.system) messages.erase(0);
    const std::string system = abilities.system ? "Be brief." : "";

    Json question = Json::array({messages[0]});
    if (abilities.system) question.push_back(messages[1]);
    std::string text =
        rendered(chat_template, messages_with_tools(dialect, abilities, question, weather_tools()), weather_tools());
    EXPECT_EQ(count(text, kListed), 1u) << text;
    EXPECT_EQ(count(text, "function_name"), 1u) << text;
    expect_in_order(text, {system, kListed, "Is it raining?"});

    text = rendered(chat_template, messages_with_tools(dialect, abilities, messages, weather_tools()), weather_tools());
    EXPECT_EQ(count(text, kListed), 1u) << text;
    expect_in_order(text, {system, kListed, "Is it raining?", "I look.", "Oslo", "Bergen", "dry-in-oslo",
                           "rain-in-bergen", "Thanks. And in Rome?"});
    // Dialects without marks read a call only where the reply starts with it.
    if (dialect.form.first.empty() && dialect.form.before.empty()) continue;
    const size_t spoken = text.find("I look.");
    const Reply reply = parse_reply(dialect, Tools::parse(weather_tools()).value(),
                                    text.substr(spoken, text.find("dry-in-oslo") - spoken));
    ASSERT_EQ(reply.calls.size(), 2u) << text;
    EXPECT_EQ(parse(reply.calls[0].arguments), parse(R"({"location": "Oslo"})"));
    EXPECT_EQ(parse(reply.calls[1].arguments), parse(R"({"location": "Bergen"})"));
  }
}

TEST(ToolPrompt, ADocumentedCallIsRead) {
  const Json tools = parse(R"([{"type": "function", "function": {"name": "function_name", "parameters":
    {"type": "object", "properties": {"argument_name": {"type": "string"}}, "required": ["argument_name"]}}}])");
  for (const Row& row : ignorant) {
    SCOPED_TRACE(row.file);
    const Dialect& dialect = *find_dialect(row.dialect);
    const Json told = messages_with_tools(dialect, kNone, Json::array({{{"role", "user"}, {"content", ""}}}), tools);
    const std::string text = told[0]["content"];
    const std::string shown = written(dialect, Json::array({call("function_name", {{"argument_name", "value"}})}));
    ASSERT_THAT(text, HasSubstr(shown));
    EXPECT_EQ(parse_reply(dialect, Tools::parse(tools).value(), shown).calls,
              std::vector<Call>{(Call{"function_name", dialect.name == "mistral_list" ? "000000000" : "",
                                      R"({"argument_name": "value"})", true})});
  }
}

TEST(ToolPrompt, LeavesAloneWhatTheTemplateKnows) {
  for (const char* name : {"Qwen-Qwen2.5-7B-Instruct", "meta-llama-Llama-3.1-8B-Instruct", "google-gemma-4-31B-it",
                           "mistralai-Mistral-Nemo-Instruct-2407"}) {
    SCOPED_TRACE(name);
    const core::ChatTemplate chat_template = parsed(name);
    const Dialect& dialect = choose_dialect({.chat_template = chat_template.source()});
    EXPECT_EQ(messages_with_tools(dialect, core::abilities_of(chat_template), conversation(), weather_tools()),
              conversation());
  }
}

TEST(ToolPrompt, TellsOnlyWhatTheTemplateDoesNot) {
  // R1's template writes calls and results, but no list; Granite 3.3's lists the tools, but drops the calls.
  const Dialect& deepseek = *find_dialect("deepseek");
  const core::TemplateAbilities r1 = core::abilities_of(parsed("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B"));
  Json told = messages_with_tools(deepseek, r1, conversation(), weather_tools());
  EXPECT_THAT(told[0]["content"].get<std::string>(), HasSubstr(kListed));
  told.erase(0);
  Json rest = conversation();
  rest.erase(0);
  EXPECT_EQ(told, rest);

  const Dialect& phi = *find_dialect("phi");
  const core::TemplateAbilities granite = core::abilities_of(parsed("ibm-granite-granite-3.3-2B-Instruct"));
  told = messages_with_tools(phi, granite, conversation(), weather_tools());
  EXPECT_EQ(told[0], conversation()[0]);
  EXPECT_THAT(told[2]["content"].get<std::string>(), HasSubstr(R"({"location": "Oslo"})"));
  EXPECT_FALSE(told[2].contains("tool_calls"));
  EXPECT_EQ(told[3], conversation()[3]);
}

TEST(ToolPrompt, SpellsArgumentsForTemplatesThatWantText) {
  const core::ChatTemplate functionary = parsed("meetkai-functionary-medium-v3.2");
  const core::TemplateAbilities abilities = core::abilities_of(functionary);
  ASSERT_TRUE(abilities.text_arguments);
  const Dialect& dialect = choose_dialect({.chat_template = functionary.source()});
  const Json told = messages_with_tools(dialect, abilities, conversation(), weather_tools());
  EXPECT_EQ(told[2]["tool_calls"][0]["function"]["arguments"], R"({"location": "Oslo"})");
  EXPECT_THAT(rendered(functionary, told, weather_tools()), HasSubstr("Oslo"));
}

TEST(ToolPrompt, WithoutToolsNothingIsTold) {
  const Json messages =
      Json::array({{{"role", "system"}, {"content", "Be brief."}}, {{"role", "user"}, {"content", "Hi"}}});
  const Dialect& dialect = *find_dialect("smollm");
  EXPECT_EQ(messages_with_tools(dialect, kNone, messages, nullptr), messages);
  EXPECT_EQ(messages_with_tools(dialect, kNone, messages, Json::array()), messages);
}

TEST(ToolPrompt, StrangeMessagesStayAsTheyAre) {
  const Json messages = parse(R"([5, {"content": "x"}, {"role": 7}, {"role": "assistant", "content": null,
    "tool_calls": [{"function": 3}, 4, {"function": {"name": 5}}]}])");
  const Json told = messages_with_tools(*find_dialect("generic"), kNone, messages, weather_tools());
  ASSERT_EQ(told.size(), messages.size() + 1);
  EXPECT_EQ(told[0]["role"], "user");
  EXPECT_EQ(told[1], messages[0]);
  EXPECT_EQ(told[3], messages[2]);
  EXPECT_EQ(told[4]["content"], "");
  EXPECT_EQ(messages_with_tools(*find_dialect("generic"), kNone, "text", nullptr), "text");
}

}  // namespace
}  // namespace ingle::assistant
