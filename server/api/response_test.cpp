// Items of /v1/responses, in and out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "server/api/response_input.h"
#include "server/api/response_output.h"
#include "server/api/response_routes.h"

namespace ingle::server {
namespace {

using assistant::Delta;
using testing::ElementsAre;

base::Json parsed(const char* text) {
  return base::parse_json(text).value();
}

base::Json messages_for(const base::Json& input) {
  const base::Json body = {{"input", input}};
  Reader reader(body);
  base::Json items = read_input(reader);
  EXPECT_FALSE(reader.error()) << reader.error()->message;
  for (const base::Json& item : items) EXPECT_FALSE(item.value("id", std::string()).empty());
  return messages_of({std::make_shared<ItemList>(std::move(items))});
}

TEST(ResponseInput, WhatTheModelDidInOneGoIsOneMessage) {
  const base::Json messages = messages_for(parsed(R"([
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "We"}, {"type": "input_text", "text": "ather?"}]},
    {"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "Look."}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{\"at\": \"sky\"}"},
    {"type": "function_call", "call_id": "2", "name": "g", "arguments": "{\"at\": "},
    {"type": "function_call_output", "call_id": "1", "output": "blue"},
    {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "no"}]},
    {"role": "assistant", "content": "It is blue."},
    {"role": "assistant", "content": "Really."}])"));
  EXPECT_EQ(messages, parsed(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "I look.", "reasoning_content": "Look.", "tool_calls": [
      {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"at": "sky"}}},
      {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{\"at\": "}}]},
    {"role": "tool", "tool_call_id": "1", "content": "blue"},
    {"role": "tool", "tool_call_id": "2", "content": "no"},
    {"role": "assistant", "content": "It is blue."},
    {"role": "assistant", "content": "Really."}])"));
}

TEST(ResponseInput, ATextIsAUsersMessage) {
  EXPECT_EQ(messages_for("Hi."), parsed(R"([{"role": "user", "content": "Hi."}])"));
}

TEST(ResponseInput, TheConversationIsOneHoweverItCame) {
  const base::Json thought = parsed(R"([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}])");
  const base::Json said = parsed(R"([{"role": "assistant", "content": "Yes."}])");
  const auto items = [](const base::Json& input) {
    const base::Json body = {{"input", input}};
    Reader reader(body);
    return std::make_shared<ItemList>(read_input(reader));
  };
  EXPECT_EQ(messages_of({items(thought), items(said)}),
            parsed(R"([{"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}])"));
}

struct Event {
  std::string type;
  base::Json data;
};

std::vector<Event> events_of(const std::string& stream) {
  std::vector<Event> events;
  std::istringstream lines(stream);
  for (std::string name, data, empty; std::getline(lines, name); std::getline(lines, empty)) {
    std::getline(lines, data);
    events.push_back({name.substr(7), parsed(data.substr(6).c_str())});
    EXPECT_EQ(events.back().data["type"], events.back().type);
    EXPECT_EQ(events.back().data["sequence_number"], events.size() - 1);
  }
  return events;
}

std::vector<std::string> types_of(const std::vector<Event>& events) {
  std::vector<std::string> types;
  for (const Event& event : events) types.push_back(event.type);
  return types;
}

class ResponseOutputTest : public testing::Test {
 protected:
  void push(Delta::Kind kind, const char* text) { stream_ += output_.push({kind, 0, text}); }

  ResponseOutput output_{[](const std::string& text) { return base::Json::array({text}); }};
  std::string stream_;
};

TEST_F(ResponseOutputTest, ReasoningTextAndCallsAreItems) {
  push(Delta::Kind::reasoning, "Lo");
  push(Delta::Kind::reasoning, "ok.");
  push(Delta::Kind::content, "I look.");
  push(Delta::Kind::call_begin, "f");
  push(Delta::Kind::call_arguments, "{\"a\"");
  push(Delta::Kind::call_arguments, ": 1}");
  push(Delta::Kind::call_end, "");
  stream_ += output_.finish(true);
  const std::vector<Event> events = events_of(stream_);
  EXPECT_THAT(types_of(events),
              ElementsAre("response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
                          "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done",
                          "response.output_item.done", "response.output_item.added", "response.content_part.added",
                          "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.output_item.added",
                          "response.function_call_arguments.delta", "response.function_call_arguments.delta",
                          "response.function_call_arguments.done", "response.output_item.done"));
  EXPECT_EQ(events[4].data["text"], "Look.");
  EXPECT_EQ(events[10].data["logprobs"], base::Json::array({"I look."}));
  EXPECT_EQ(events[16].data["arguments"], "{\"a\": 1}");
  const int places[] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].data["output_index"], places[i]) << i;
    const base::Json& item = output_.items()[static_cast<size_t>(places[i])];
    if (events[i].data.contains("item_id")) {
      EXPECT_EQ(events[i].data["item_id"], item["id"]) << i;
    }
  }
  ASSERT_EQ(output_.items().size(), 3u);
  EXPECT_EQ(output_.items()[0]["content"], parsed(R"([{"type": "reasoning_text", "text": "Look."}])"));
  EXPECT_EQ(output_.items()[1]["content"][0]["text"], "I look.");
  EXPECT_EQ(output_.items()[2]["name"], "f");
  for (const base::Json& item : output_.items()) EXPECT_EQ(item["status"], "completed");
  EXPECT_EQ(output_.reasoning(), "Look.");
}

TEST_F(ResponseOutputTest, WhatIsCutSaysSo) {
  push(Delta::Kind::content, "I lo");
  output_.finish(false);
  EXPECT_EQ(output_.items()[0]["status"], "incomplete");
}

TEST_F(ResponseOutputTest, NothingIsAnEmptyMessage) {
  output_.finish(true);
  ASSERT_EQ(output_.items().size(), 1u);
  EXPECT_EQ(output_.items()[0]["type"], "message");
  EXPECT_EQ(output_.items()[0]["content"][0]["text"], "");
}

TEST_F(ResponseOutputTest, ACutCallIsNoCall) {
  push(Delta::Kind::call_begin, "f");
  push(Delta::Kind::call_arguments, "{\"a");
  push(Delta::Kind::call_cut, "");
  output_.finish(false);
  ASSERT_EQ(output_.items().size(), 1u);
  EXPECT_EQ(output_.items()[0]["status"], "incomplete");
  EXPECT_EQ(output_.items()[0]["arguments"], "{\"a");
}

TEST(Query, IsReadAsFields) {
  EXPECT_EQ(query_json("limit=20&order=asc&after=msg%5F1&include[]=x&stream=true&&=y&flag"),
            parsed(R"({"limit": 20, "order": "asc", "after": "msg_1", "include": "x", "stream": true, "flag": ""})"));
  EXPECT_EQ(query_json(""), base::Json::object());
  EXPECT_EQ(query_json("a=%")["a"], "?");
}

}  // namespace
}  // namespace ingle::server
