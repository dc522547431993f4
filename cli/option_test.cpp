#include "cli/option.h"

#include <gtest/gtest.h>

#include <array>

namespace ingle::cli {
namespace {

TEST(Option, ReadsSizes) {
  EXPECT_EQ(*parse_bytes("1000000"), 1000000u);
  EXPECT_EQ(*parse_bytes("4G"), 4ull << 30);
  EXPECT_EQ(*parse_bytes("4gb"), 4ull << 30);
  EXPECT_EQ(*parse_bytes("1.5GiB"), 3ull << 29);
  EXPECT_EQ(*parse_bytes("2k"), 2048u);
  EXPECT_EQ(*parse_bytes("7b"), 7u);
  for (const char* bad : {"", "G", "-1", "1X", "1GG", "inf", "nan", "1e30", "4 G"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Option, ReadsNumbersWhole) {
  EXPECT_EQ(*parse_integer("-3"), -3);
  for (const char* bad : {"", "3x", "3.0", " 3", "99999999999999999999"}) EXPECT_FALSE(parse_integer(bad)) << bad;
  EXPECT_EQ(*parse_number("1e-3"), 1e-3);
  for (const char* bad : {"", "1,5", "nan", "inf", "1.", "1.5 "}) {
    EXPECT_EQ(parse_number(bad).ok(), std::string_view(bad) == "1.") << bad;
  }
  EXPECT_TRUE(*parse_bool("Yes"));
  EXPECT_FALSE(*parse_bool("off"));
  EXPECT_FALSE(parse_bool("maybe"));
}

TEST(Option, ChecksRanges) {
  const Option share{.name = "p", .type = ValueType::number, .minimum = 0, .maximum = 1, .above_minimum = true};
  EXPECT_TRUE(check_value(share, "1", "--p"));
  EXPECT_TRUE(check_value(share, "0.001", "--p"));
  EXPECT_EQ(check_value(share, "0", "--p").error().message,
            "--p: '0' is out of range; give a number above 0 and up to 1");
  EXPECT_FALSE(check_value(share, "1.01", "--p"));
  const Option count{.name = "n", .type = ValueType::integer, .minimum = -1};
  EXPECT_EQ(check_value(count, "-2", "X").error().message, "X: '-2' is out of range; give a whole number, -1 or more");
  EXPECT_EQ(check_value(count, "1.5", "X").error().code, base::ErrorCode::invalid_argument);
}

TEST(Option, ChecksChoices) {
  const Option color{.name = "color", .type = ValueType::choice, .choices = "auto always never"};
  for (const char* good : {"auto", "always", "never"}) EXPECT_TRUE(check_value(color, good, "")) << good;
  for (const char* bad : {"", "alway", "auto always", "neverr"}) EXPECT_FALSE(check_value(color, bad, "")) << bad;
  EXPECT_EQ(check_value(color, "x", "--color").error().message, "--color: 'x' is not one of: auto, always, never");
}

TEST(Option, MeasuresTypingErrors) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("rnu", "run"), 1u);  // neighbours swapped count once
  EXPECT_EQ(edit_distance("same", "same"), 0u);
  EXPECT_EQ(edit_distance(std::string(100000, 'a'), "a"), 64u);
}

TEST(Option, SuggestsOnlyWhatIsNear) {
  const std::array<std::string_view, 4> names = {"run", "chat", "smollm2-135m", "qwen2.5-coder-0.5b"};
  EXPECT_EQ(nearest("rnu", names), "run");
  EXPECT_EQ(nearest("smollm2-135", names), "smollm2-135m");
  EXPECT_EQ(nearest("qwen2.5-coder", names), "qwen2.5-coder-0.5b");
  EXPECT_EQ(nearest("hello", names), "");
  EXPECT_EQ(nearest("a prompt that is long enough to differ", names), "");
}

TEST(Option, NamesVariables) {
  EXPECT_EQ(environment_name("top-k"), "INGLE_TOP_K");
  EXPECT_EQ(environment_name("ctx"), "INGLE_CTX");
}

}  // namespace
}  // namespace ingle::cli
