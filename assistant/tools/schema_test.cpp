#include "assistant/tools/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ingle::assistant {
namespace {

using base::ErrorCode;
using base::Json;
using ::testing::HasSubstr;

Json json(std::string_view text) {
  return base::parse_json(text).value();
}

constexpr std::string_view kSchema = R"({
  "type": "object",
  "properties": {
    "text": {"type": "string", "maxLength": 4},
    "unit": {"type": "string", "enum": ["day", "week"]},
    "count": {"type": "integer", "minimum": -5, "maximum": 5},
    "share": {"type": "number", "minimum": 0},
    "sure": {"type": "boolean"},
    "inner": {"type": "object", "properties": {"deep": {"type": "boolean"}}, "required": ["deep"]}
  },
  "required": ["text"],
  "additionalProperties": false
})";

base::Status check(std::string_view value) {
  return check_value(json(kSchema), json(value), "the arguments");
}

void fails(std::string_view value, const std::string& says, ErrorCode code = ErrorCode::invalid_argument) {
  const auto status = check(value);
  ASSERT_FALSE(status.ok()) << value;
  EXPECT_EQ(status.error().code, code);
  EXPECT_THAT(status.error().message, HasSubstr(says));
}

TEST(Schema, TakesWhatMatches) {
  for (const std::string_view value :
       {R"({"text": ""})", R"({"text": "äöüß"})", R"({"text": "a", "unit": "week", "count": -5, "share": 0})",
        R"({"text": "a", "count": 5.0, "share": 1e300, "sure": false, "inner": {"deep": true, "more": 1}})"}) {
    EXPECT_TRUE(check(value).ok()) << value << ": " << check(value).error().message;
  }
}

TEST(Schema, TellsWhatDoesNotMatch) {
  fails("[]", "the arguments must be an object, not []");
  fails("null", "the arguments must be an object");
  fails("{}", "\"text\" is missing in the arguments; it is required");
  fails(R"({"text": 1})", "\"text\" must be a string, not 1");
  fails(R"({"text": "abcde"})", "longer than 4 characters", ErrorCode::limit_exceeded);
  fails(R"({"text": "a", "Count": 1})", "\"Count\" is not known in the arguments; known are: text, unit, count");
  fails(R"({"text": "a", "unit": "year"})", "must be one of [\"day\",\"week\"], not \"year\"");
  fails(R"({"text": "a", "unit": 1})", "\"unit\" must be a string");
  fails(R"({"text": "a", "count": 6})", "\"count\" must be at most 5, not 6");
  fails(R"({"text": "a", "count": -6})", "\"count\" must be at least -5, not -6");
  fails(R"({"text": "a", "count": 1.5})", "\"count\" must be an integer, not 1.5");
  fails(R"({"text": "a", "count": 1e300})", "must be an integer");
  fails(R"({"text": "a", "count": 18446744073709551615})", "at most 5");
  fails(R"({"text": "a", "count": "1"})", "\"count\" must be an integer, not \"1\"");
  fails(R"({"text": "a", "share": true})", "\"share\" must be a number");
  fails(R"({"text": "a", "sure": "yes"})", "\"sure\" must be a boolean");
  fails(R"({"text": "a", "inner": {}})", "\"deep\" is missing in \"inner\"");
  fails(R"({"text": "a", "inner": {"deep": 0}})", "\"deep\" must be a boolean");
}

TEST(Schema, MessagesAreShort) {
  const std::string name(5000, 'n');
  const auto status = check(R"({"text": "a", ")" + name + R"(": "\u001b"})");
  ASSERT_FALSE(status.ok());
  EXPECT_LT(status.error().message.size(), 200U);
  Json bad = {{"text", "\xff"}};
  EXPECT_THAT(check_value(json(kSchema), bad, "the arguments").error().message, HasSubstr("not UTF-8"));
}

TEST(Schema, OnlyTheSubsetIsASchema) {
  EXPECT_TRUE(check_schema(json(kSchema)).ok());
  for (const std::string_view schema :
       {"[]", "{}", R"({"type": "text"})", R"({"type": ["string", "null"]})", R"({"type": "string"})",
        R"({"type": "string", "pattern": "a", "maxLength": 3})", R"({"type": "string", "maxLength": -1})",
        R"({"type": "object", "required": ["a"]})", R"({"type": "object", "required": ["a"], "properties": {"b": {}}})",
        R"({"type": "object", "properties": {"a": {"type": "string"}}})",
        R"({"type": "object", "additionalProperties": {}})", R"({"type": "integer", "minimum": "1"})",
        R"({"type": "string", "enum": []})"}) {
    EXPECT_FALSE(check_schema(json(schema)).ok()) << schema;
  }
}

}  // namespace
}  // namespace ingle::assistant
