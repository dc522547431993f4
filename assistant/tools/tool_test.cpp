#include "assistant/tools/tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "assistant/dialects/tools.h"
#include "assistant/tools/expression.h"
#include "assistant/tools/functions.h"
#include "assistant/tools/schema.h"

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;
namespace chrono = std::chrono;

ToolContext at(chrono::sys_seconds now, chrono::seconds offset = {}) {
  return {.now = [now] { return now; }, .utc_offset = [offset](chrono::sys_seconds) { return offset; }};
}

/// Friday, 27 November 2026, 23:59:58 UTC.
const chrono::sys_seconds kNow = chrono::sys_days(chrono::year(2026) / 11 / 27) + chrono::seconds(86398);

std::string run(std::string_view name, std::string_view arguments, const ToolContext& context = at(kNow)) {
  const auto result = run_tool_text(name, arguments, context);
  return result ? result->dump() : "error " + result.error().message;
}

TEST(Tools, RecordsAreWhatAModelCanUse) {
  ASSERT_GE(tool_records().size(), 4U);
  for (const ToolRecord* tool : tool_records()) {
    const std::string name(tool->name);
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
    EXPECT_EQ(find_tool(name), tool);
    EXPECT_LE(tool->description.size(), 300U) << name;
    EXPECT_TRUE(tool->description.ends_with('.')) << name;
    EXPECT_NE(tool->run, nullptr) << name;
    const auto parsed = base::parse_json(tool->parameters);
    ASSERT_TRUE(parsed.ok()) << name << ": " << parsed.error().message;
    const auto fine = check_schema(*parsed);
    EXPECT_TRUE(fine.ok()) << name << ": " << fine.error().message;
    EXPECT_TRUE(parsed->value("type", "") == "object" && !parsed->value("additionalProperties", true)) << name;
    for (const auto& [property, schema] : (*parsed)["properties"].items()) {
      EXPECT_TRUE(schema.contains("description")) << name << " " << property;
    }
  }
}

TEST(Tools, TheDialectsTakeThem) {
  const auto tools = Tools::parse(tools_json());
  ASSERT_TRUE(tools.ok()) << tools.error().message;
  ASSERT_EQ(tools->all().size(), tool_records().size());
  for (const ToolRecord* tool : tool_records()) {
    ASSERT_NE(tools->find(tool->name), nullptr);
    EXPECT_TRUE(tools->find(tool->name)->parameters == tool_parameters(*tool)) << tool->name;
  }
  const ToolRecord* one[] = {find_tool("calculator")};
  const Json json = tools_json(one);
  ASSERT_EQ(json.size(), 1U);
  EXPECT_TRUE(json[0]["type"] == "function");
  EXPECT_TRUE(json[0]["function"]["name"] == "calculator");
  EXPECT_TRUE(json[0]["function"]["parameters"]["required"] == Json::array({"expression"}));
}

TEST(Tools, ArgumentsAreChecked) {
  EXPECT_EQ(run("calculator", R"({"expression": "6 * 7"})"), R"({"result":"42","exact":true})");
  EXPECT_THAT(run("calculator", "{}"), HasSubstr("\"expression\" is missing"));
  EXPECT_THAT(run("calculator", ""), HasSubstr("\"expression\" is missing"));
  EXPECT_THAT(run("calculator", "[1]"), HasSubstr("must be an object"));
  EXPECT_THAT(run("calculator", R"({"expression": 42})"), HasSubstr("must be a string, not 42"));
  EXPECT_THAT(run("calculator", R"({"expr": "1", "expression": "1"})"), HasSubstr("known are: expression"));
  EXPECT_THAT(run("calculator", R"({"expression": "1")"), HasSubstr("no usable JSON"));
  EXPECT_THAT(run("calculater", "{}"), HasSubstr("there is no tool 'calculater'; the tools are calculator, "));
  const auto code = [](std::string_view arguments) {
    return run_tool_text("calculator", arguments, at(kNow)).error().code;
  };
  EXPECT_EQ(code(R"({"expression": ")" + std::string(1001, '1') + R"("})"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(std::string(max_tool_arguments, ' ') + "{}"), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(R"({"expression": "1/0"})"), ErrorCode::invalid_argument);
  EXPECT_EQ(run_tool_text("x", "{}", at(kNow)).error().code, ErrorCode::not_found);
}

TEST(Tools, TheCalculatorTellsOfAllItsFunctions) {
  const std::string text = tool_parameters(*find_tool("calculator")).dump();
  for (const Function& function : all_functions()) {
    EXPECT_THAT(text, ::testing::ContainsRegex("[ (]" + std::string(function.name) + "[ (.]"));
  }
  EXPECT_TRUE(calculate("round(1250.5 * 1.19, 2)").ok());  // its example
}

TEST(CurrentTime, IsThePersonsOrThatOfAnOffset) {
  EXPECT_EQ(run("current_time", ""),
            R"({"date":"2026-11-27","weekday":"Friday","time":"23:59:58","utc_offset":"+00:00"})");
  const ToolContext kolkata = at(kNow, chrono::minutes(330));
  EXPECT_EQ(run("current_time", "{}", kolkata),
            R"({"date":"2026-11-28","weekday":"Saturday","time":"05:29:58","utc_offset":"+05:30"})");
  EXPECT_EQ(run("current_time", R"({"utc_offset": "local"})", kolkata), run("current_time", "{}", kolkata));
  EXPECT_EQ(run("current_time", R"({"utc_offset": "UTC"})", kolkata), run("current_time", ""));
  EXPECT_EQ(run("current_time", R"({"utc_offset": "-03:30"})", kolkata),
            R"({"date":"2026-11-27","weekday":"Friday","time":"20:29:58","utc_offset":"-03:30"})");
  for (const char* zone : {"Europe/Berlin", "+5", "+15:00", "+01:60", "05:30x", "+ab:cd", ""}) {
    EXPECT_THAT(run("current_time", R"({"utc_offset": ")" + std::string(zone) + R"("})"),
                HasSubstr("names of places and zones are not known here"))
        << zone;
  }
}

std::string difference(const std::string& from, const std::string& to) {
  const auto result = run_tool("date_difference", {{"from", from}, {"to", to}}, at(kNow, chrono::hours(1)));
  if (!result) return "error " + result.error().message;
  const Json& calendar = (*result)["years_months_days"];
  return (*result)["days"].dump() + " " + calendar["years"].dump() + "y" + calendar["months"].dump() + "m" +
         calendar["days"].dump() + "d";
}

TEST(DateDifference, CountsDaysAndCalendarMonths) {
  EXPECT_EQ(difference("2024-02-28", "2024-03-01"), "2 0y0m2d");
  EXPECT_EQ(difference("2023-02-28", "2023-03-01"), "1 0y0m1d");
  EXPECT_EQ(difference("1900-02-28", "1900-03-01"), "1 0y0m1d");  // no leap year
  EXPECT_EQ(difference("2000-02-28", "2000-03-01"), "2 0y0m2d");  // one
  EXPECT_EQ(difference("1969-07-20", "2026-11-27"), "20949 57y4m7d");
  EXPECT_EQ(difference("2026-11-27", "1969-07-20"), "-20949 57y4m7d");
  EXPECT_EQ(difference("2024-01-31", "2024-02-29"), "29 0y1m0d");
  EXPECT_EQ(difference("2024-01-31", "2024-03-30"), "59 0y1m30d");
  EXPECT_EQ(difference("2024-02-29", "2025-02-28"), "365 1y0m0d");
  EXPECT_EQ(difference("0001-01-01", "9999-12-31"), "3652058 9998y11m30d");
  EXPECT_EQ(difference("today", "today"), "0 0y0m0d");
  EXPECT_EQ(difference("2026-11-28", "today"), "0 0y0m0d");  // it is past midnight where the person is
  EXPECT_EQ(run("date_difference", R"({"from": "2026-11-27", "to": "2026-12-24"})"),
            R"({"days":27,"weeks_and_days":{"weeks":3,"days":6},"years_months_days":{"years":0,"months":0,"days":27},)"
            R"("from":"2026-11-27","from_weekday":"Friday","to":"2026-12-24","to_weekday":"Thursday"})");
}

TEST(DateDifference, RefusesWhatIsNoDate) {
  EXPECT_THAT(difference("2023-02-29", "today"), HasSubstr("that month has the days 1 to 28"));
  EXPECT_THAT(difference("2023-13-01", "today"), HasSubstr("there is no month 13"));
  EXPECT_THAT(difference("2023-00-01", "today"), HasSubstr("there is no month 0"));
  EXPECT_THAT(difference("today", "2023-04-31"), HasSubstr("\"to\": 2023-04-31 is not in the calendar"));
  for (const char* text : {"", "27.11.2026", "2026-11-27T10:00", "0000-01-01", "2026-1-1", "+026-01-01", "tomorrow"}) {
    EXPECT_THAT(difference("today", text), HasSubstr("\"to\" must be a date as in 2026-02-28")) << text;
  }
}

std::string added(std::string_view arguments) {
  const auto result = run_tool_text("date_add", arguments, at(kNow));
  return result ? (*result)["date"].get<std::string>() + " " + (*result)["weekday"].get<std::string>()
                : "error " + result.error().message;
}

TEST(DateAdd, MovesThroughTheCalendar) {
  EXPECT_EQ(added(R"({"date": "2024-02-28", "days": 2})"), "2024-03-01 Friday");
  EXPECT_EQ(added(R"({"date": "2024-03-01", "days": -1})"), "2024-02-29 Thursday");
  EXPECT_EQ(added(R"({"date": "today", "weeks": 2, "days": 1})"), "2026-12-12 Saturday");
  EXPECT_EQ(added(R"({"date": "2024-01-31", "months": 1})"), "2024-02-29 Thursday");
  EXPECT_EQ(added(R"({"date": "2024-02-29", "years": 1, "days": 1})"), "2025-03-01 Saturday");
  EXPECT_EQ(added(R"({"date": "2024-03-15", "months": -15})"), "2022-12-15 Thursday");
  EXPECT_EQ(added(R"({"date": "today"})"), "2026-11-27 Friday");
  EXPECT_EQ(added(R"({"date": "0001-01-01", "days": 3652058})"), "9999-12-31 Friday");
  EXPECT_THAT(added(R"({"date": "9999-12-31", "days": 1})"), HasSubstr("beyond the years 1 to 9999"));
  EXPECT_THAT(added(R"({"date": "0001-01-01", "days": -1})"), HasSubstr("beyond the years 1 to 9999"));
  EXPECT_THAT(added(R"({"date": "9999-12-31", "years": 9999, "months": 120000, "weeks": 530000, "days": 3700000})"),
              HasSubstr("beyond the years 1 to 9999"));
  EXPECT_THAT(added(R"({"date": "0001-01-01", "years": -9999, "months": -120000, "weeks": -530000, "days": -3700000})"),
              HasSubstr("beyond the years 1 to 9999"));
  EXPECT_THAT(added(R"({"date": "today", "days": 1e9})"), HasSubstr("\"days\" must be at most 3700000"));
}

}  // namespace
}  // namespace ingle::assistant
