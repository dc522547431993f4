// The server's parts that need no connection: paths, answers in pieces, fields of bodies, the table of routes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "server/api/chat.h"
#include "server/api/reader.h"
#include "server/api/route.h"
#include "server/http/exchange.h"
#include "server/http/target.h"

namespace ingle::server {
namespace {

using testing::HasSubstr;

TEST(Target, APathIsDecodedOnceAndNeverLeavesItsRoot) {
  EXPECT_EQ(parse_target("/v1/models/a%20b?q=%41").path, "/v1/models/a b");
  EXPECT_EQ(parse_target("/v1/models/a%20b?q=%41").query, "q=%41");
  EXPECT_EQ(parse_target("/a%2541").path, "/a%41");
  EXPECT_EQ(parse_target("/a#b").path, "/a");
  for (const char* none : {"", "a", "*", "http://x/", "/%", "/%4", "/%zz", "/a/../b", "/%2e%2e/a", "/a%00", "/a%0ab"})
    EXPECT_EQ(parse_target(none).path, "") << none;
}

class ExchangeTest : public testing::Test {
 protected:
  Exchange exchange_{{}, [this] { ++woken_; }, 10};
  int woken_ = 0;
};

// An answer may be there and sent before who gave it asks to be told of a reader that goes.
TEST_F(ExchangeTest, WhatHasBeenSentKeepsNobody) {
  const auto keeper = std::make_shared<int>(0);
  exchange_.on_gone([keeper] { ADD_FAILURE(); });
  EXPECT_EQ(keeper.use_count(), 2);
  exchange_.sent();
  exchange_.on_gone([keeper] { ADD_FAILURE(); });
  EXPECT_EQ(keeper.use_count(), 1);
}

TEST_F(ExchangeTest, OnlyTheFirstAnswerCounts) {
  exchange_.respond({.status = 200, .body = "a"});
  exchange_.respond({.status = 500, .body = "b"});
  exchange_.begin({.status = 500});
  Exchange::Outgoing out = exchange_.take();
  EXPECT_EQ(out.head->status, 200);
  EXPECT_EQ(out.body, "a");
  EXPECT_TRUE(out.ended);
  EXPECT_FALSE(exchange_.take().head);
  EXPECT_EQ(woken_, 1);
}

TEST_F(ExchangeTest, PiecesJoinUntilTheyAreTaken) {
  exchange_.begin({.body = "1"});
  EXPECT_TRUE(exchange_.write("2"));
  EXPECT_EQ(exchange_.take().body, "12");
  EXPECT_TRUE(exchange_.take().nothing());
  EXPECT_TRUE(exchange_.write("3"));
  exchange_.end();
  EXPECT_FALSE(exchange_.write("4"));
  const Exchange::Outgoing out = exchange_.take();
  EXPECT_EQ(out.body, "3");
  EXPECT_TRUE(out.ended);
}

TEST_F(ExchangeTest, AReaderWhoIsTooSlowIsGone) {
  int gone = 0;
  exchange_.begin({});
  exchange_.on_gone([&] { ++gone; });
  EXPECT_TRUE(exchange_.write("0123456789"));
  EXPECT_FALSE(exchange_.write("x"));
  EXPECT_FALSE(exchange_.write("x"));
  EXPECT_TRUE(exchange_.is_gone());
  exchange_.gone();
  EXPECT_EQ(gone, 1);
  exchange_.on_gone([&] { ++gone; });  // at once, as it has happened
  EXPECT_EQ(gone, 2);
}

TEST_F(ExchangeTest, WhatWasSentHoldsNobody) {
  const auto holder = std::make_shared<int>(0);
  exchange_.on_gone([holder] { ++*holder; });
  EXPECT_EQ(holder.use_count(), 2);
  exchange_.sent();
  EXPECT_EQ(holder.use_count(), 1);
  exchange_.gone();
  EXPECT_EQ(*holder, 0);
}

TEST(HttpRequest, AHeaderThatCameTwiceIsNone) {
  HttpRequest request;
  request.headers = {{"host", "a"}, {"origin", "b"}, {"origin", "c"}};
  EXPECT_EQ(request.header("host"), "a");
  EXPECT_FALSE(request.header("origin"));
  EXPECT_FALSE(request.header("other"));
}

constexpr std::string_view kColours[] = {"red", "green"};
constexpr Field kInner[] = {{"colour", one_of(kColours), "", Use::required}, {"hint", "", Use::hint}};
constexpr Field kFields[] = {
    {"n", integer(0, 1'000'000), ""},
    {"share", number(0, 1), ""},
    {"name", kText, ""},
    {"stop", texts(2), ""},
    {"yes", kBoolean, ""},
    {"inner", object_of(kInner), ""},
    {"list", array_of(kInner, 1, 3), ""},
    {"any", kObject, ""},
    {"schema", kSchema, ""},
    {"free", described(R"({"type": "string"})"), "whoever reads it checks it"},
    {"hint", "", Use::hint},
    {"no", "because", Use::refused},
};

std::optional<ApiError> checked(const base::Json& body, std::vector<std::string>* unused = nullptr) {
  Reader reader(body, {}, unused);
  reader.check(kFields);
  return reader.error();
}

TEST(Reader, FieldsAreHonouredHintsOrRefusedByName) {
  std::vector<std::string> unused;
  EXPECT_FALSE(checked({{"n", 1}, {"hint", 2}}, &unused));
  EXPECT_THAT(unused, testing::ElementsAre("hint"));
  EXPECT_FALSE(checked({{"no", nullptr}})) << "null is as if it were not there";
  EXPECT_THAT(checked({{"no", 1}})->message, HasSubstr("because"));
  EXPECT_EQ(checked({{"other", 1}})->code, "unknown_field");
  EXPECT_EQ(checked(base::Json::array())->status, 400);
  EXPECT_LT(checked({{std::string(1000, 'x'), 1}})->param.size(), 100u);
}

TEST(Reader, ValuesHaveTheTypesOfTheTable) {
  const base::Json right[] = {
      {{"n", 0}},
      {{"n", 3.0}},
      {{"n", 1'000'000}},
      {{"share", 0.5}},
      {{"share", 1}},
      {{"name", ""}},
      {{"stop", "a"}},
      {{"stop", {"a", "b"}}},
      {{"yes", false}},
      {{"any", {{"x", 1}}}},
      {{"free", 5}},
      {{"schema", true}},
      {{"inner", {{"colour", "red"}}}},
      {{"n", nullptr}},
      {{"inner", nullptr}},
      {{"list", {{{"colour", "red"}, {"hint", nullptr}}}}},
  };
  for (const base::Json& body : right) EXPECT_FALSE(checked(body)) << body;
  const std::pair<base::Json, std::string> wrong[] = {
      {{{"n", 3.5}}, "n"},
      {{{"n", -1}}, "n"},
      {{{"n", 1'000'001}}, "n"},
      {{{"n", 1e300}}, "n"},
      {{{"n", UINT64_MAX}}, "n"},
      {{{"n", "3"}}, "n"},
      {{{"share", 1.01}}, "share"},
      {{{"share", "1"}}, "share"},
      {{{"name", 1}}, "name"},
      {{{"stop", {"a", "b", "c"}}}, "stop"},
      {{{"stop", {1}}}, "stop"},
      {{{"yes", 1}}, "yes"},
      {{{"any", base::Json::array()}}, "any"},
      {{{"schema", "x"}}, "schema"},
      {{{"inner", base::Json::object()}}, "inner.colour"},
      {{{"inner", {{"colour", "blue"}}}}, "inner.colour"},
      {{{"inner", {{"colour", "red"}, {"x", 1}}}}, "inner.x"},
      {{{"list", base::Json::array()}}, "list"},
      {{{"list", base::Json::array({base::Json{{"colour", "red"}}, 5})}}, "list[1]"},
      {{{"list", base::Json::array({base::Json{{"colour", "red"}}, base::Json{{"colour", 5}}})}}, "list[1].colour"},
      {{{"list", base::Json::array({1, 2, 3, 4})}}, "list"},
  };
  for (const auto& [body, param] : wrong) {
    const auto error = checked(body);
    ASSERT_TRUE(error) << body;
    EXPECT_EQ(error->param, param) << body;
    EXPECT_EQ(error->status, 400) << body;
  }
  EXPECT_EQ(checked({{"inner", {{"colour", 1}}}})->message, "'inner.colour' must be red or green");
  EXPECT_EQ(checked({{"n", -1}})->message, "'n' must be a whole number from 0 to 1000000");
  EXPECT_EQ(checked({{"inner", {{"colour", nullptr}}}})->code, "missing_field");
}

TEST(Reader, HintsInsideAreToldOnce) {
  std::vector<std::string> unused;
  const base::Json item = {{"colour", "red"}, {"hint", 1}};
  EXPECT_FALSE(checked({{"list", base::Json::array({item, item})}, {"inner", item}, {"hint", 1}}, &unused));
  EXPECT_THAT(unused, testing::ElementsAre("list[].hint", "inner.hint", "hint"));
}

TEST(Reader, WhatNobodyCheckedIsReadByItsTypeToo) {
  const base::Json body = {{"a", 3.0}, {"b", 3.5}, {"c", 1e300}, {"d", "3"}, {"f", UINT64_MAX}, {"g", {1}}};
  Reader reader(body, "outer");
  EXPECT_EQ(reader.integer("a"), 3);
  EXPECT_EQ(reader.number("b"), 3.5);
  EXPECT_EQ(reader.text("d"), "3");
  EXPECT_FALSE(reader.integer("absent"));
  EXPECT_FALSE(reader.error());
  for (const char* wrong : {"b", "c", "d", "f"}) {
    Reader other(body, "outer");
    EXPECT_FALSE(other.integer(wrong)) << wrong;
    EXPECT_EQ(other.error()->param, "outer." + std::string(wrong));
    EXPECT_FALSE(other.integer("a")) << "after an error nothing is read";
  }
  EXPECT_TRUE(reader.texts("g").empty());
  EXPECT_TRUE(reader.error());
}

TEST(Chat, MessagesAreReadByAnyApisNames) {
  const base::Json body = {
      {"messages",
       {{{"role", "developer"}, {"content", "a"}},
        {{"role", "assistant"}, {"content", nullptr}, {"thinking", "hm"}, {"tool_calls", {{{"id", "1"}}}}},
        {{"role", "tool"}, {"content", "b"}, {"tool_name", "look"}, {"tool_call_id", "1"}}}}};
  Reader reader(body);
  const base::Json messages = read_messages(reader, "messages");
  ASSERT_FALSE(reader.error()) << reader.error()->message;
  EXPECT_EQ(messages[0]["role"], "system");
  EXPECT_EQ(messages[1]["reasoning_content"], "hm");
  EXPECT_EQ(messages[2]["name"], "look") << "by which templates know it";
  EXPECT_EQ(messages[2]["tool_call_id"], "1");
}

TEST(Chat, CallsInMessagesHaveTheirForm) {
  const auto error_of = [](const base::Json& calls) {
    const base::Json body = {
        {"messages", base::Json::array({{{"role", "assistant"}, {"content", nullptr}, {"tool_calls", calls}}})}};
    static constexpr Field kBody[] = {{"messages", kMessages, ""}};
    Reader reader(body);
    reader.check(kBody);
    if (!reader.error()) read_messages(reader, "messages");
    return reader.error() ? reader.error()->param : std::string();
  };
  const auto call = [](const base::Json& function) { return base::Json::array({{{"function", function}}}); };
  EXPECT_EQ(error_of(call({{"name", "f"}, {"arguments", "{}"}})), "");
  EXPECT_EQ(error_of(call({{"name", "f"}, {"arguments", {{"a", 1}}}})), "");
  EXPECT_EQ(error_of(call({{"name", "f"}})), "");
  EXPECT_EQ(error_of(call({{"name", "f"}, {"arguments", {1}}})), "messages[0].tool_calls");
  EXPECT_EQ(error_of(call({{"arguments", "{}"}})), "messages[0].tool_calls[0].function.name");
  EXPECT_EQ(error_of(base::Json::array({base::Json::array({nullptr})})), "messages[0].tool_calls[0]");
}

// What a table says of its fields, at every depth, is enough to check bodies and to describe them.
void expect_whole(std::span<const Field> fields, const std::string& where) {
  std::set<std::string_view> names;
  for (const Field& field : fields) {
    const std::string at = where + " " + std::string(field.name);
    const Type& type = field.type;
    EXPECT_TRUE(names.insert(field.name).second) << at;
    if (field.use == Use::refused) {
      EXPECT_FALSE(field.help.empty()) << at;
    } else if (field.use != Use::hint) {
      EXPECT_NE(type.kind, Type::Kind::anything) << at << " is honoured, so its type is known";
    }
    if (!type.schema.empty()) {
      EXPECT_TRUE(base::parse_json(type.schema)) << at;
    }
    EXPECT_EQ(type.kind == Type::Kind::described && type.schema.empty(), false) << at;
    EXPECT_EQ(type.kind == Type::Kind::choice, !type.names.empty()) << at;
    EXPECT_LE(type.least, type.most) << at;
    EXPECT_LE(type.lowest, type.highest) << at;
    expect_whole(fields_of(type), at);
  }
}

// Clients and the document of the API rely on it.
TEST(Routes, TheTableIsWhole) {
  std::set<std::string> seen;
  for (const Route* route : all_routes()) {
    const std::string name = std::string(route->method) + " " + std::string(route->path);
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_NE(route->handle, nullptr) << name;
    EXPECT_FALSE(route->summary.empty()) << name;
    EXPECT_FALSE(route->answers.empty()) << name;
    EXPECT_EQ(route->path.find('{') != std::string_view::npos, !route->parameter.empty()) << name;
    if (route->method == "GET") {
      EXPECT_TRUE(route->fields.empty()) << name;
    }
    if (route->method == "POST" && route->parameter.empty()) {
      EXPECT_FALSE(route->fields.empty()) << name;
    }
    expect_whole(route->fields, name);
  }
  EXPECT_GE(seen.size(), 15u);
}

}  // namespace
}  // namespace ingle::server
