// The server's parts that need no connection: paths, answers in pieces, fields of bodies, the table of routes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

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

constexpr Field kFields[] = {{"n", ""}, {"hint", "", Use::hint}, {"no", "because", Use::refused}};

std::optional<ApiError> checked(const base::Json& body, std::vector<std::string>* unused = nullptr) {
  Reader reader(body);
  reader.check(kFields, unused);
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

TEST(Reader, NumbersHaveBounds) {
  const base::Json body = {{"a", 3.0}, {"b", 3.5}, {"c", 1e300}, {"d", "3"}, {"e", -1}, {"f", UINT64_MAX}, {"g", 7}};
  const auto integer = [&](const char* name) {
    Reader reader(body);
    const auto value = reader.integer(name, 0, 1'000'000);
    EXPECT_EQ(value.has_value(), !reader.error());
    return value;
  };
  EXPECT_EQ(integer("a"), 3);
  EXPECT_EQ(integer("g"), 7);
  for (const char* wrong : {"b", "c", "d", "e", "f"}) EXPECT_FALSE(integer(wrong)) << wrong;
  Reader reader(body, "outer");
  EXPECT_FALSE(reader.number("c", 0, 1));
  EXPECT_EQ(reader.error()->param, "outer.c");
  EXPECT_FALSE(reader.integer("a", 0, 10)) << "after an error nothing is read";
}

// Clients and the document of the API rely on it.
TEST(Routes, TheTableIsWhole) {
  std::set<std::string> seen;
  for (const Route* route : all_routes()) {
    const std::string name = std::string(route->method) + " " + std::string(route->path);
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_NE(route->handle, nullptr) << name;
    EXPECT_FALSE(route->summary.empty()) << name;
    EXPECT_TRUE(route->method == "GET" || route->method == "POST" || route->method == "DELETE") << name;
    if (route->method != "DELETE") {
      EXPECT_EQ(route->method == "GET", route->fields.empty()) << name;
    }
    std::set<std::string_view> fields;
    for (const Field& field : route->fields) {
      EXPECT_TRUE(fields.insert(field.name).second) << name << " " << field.name;
      if (field.use == Use::refused) {
        EXPECT_FALSE(field.help.empty()) << name << " " << field.name;
      }
    }
  }
  EXPECT_GE(seen.size(), 15u);
}

}  // namespace
}  // namespace ingle::server
