#include "assistant/conversations/retention.h"

#include <gtest/gtest.h>

namespace ingle::assistant {
namespace {

TEST(Retention, IsReadAndWritten) {
  const std::pair<std::string_view, int64_t> good[] = {{"forever", 0}, {"1d", 1},   {"30d", 30},     {"8w", 56},
                                                       {"6m", 180},    {"1y", 365}, {"100y", 36500}, {"36500d", 36500}};
  for (const auto& [text, days] : good) {
    const auto read = parse_retention(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, days) << text;
  }
  for (const std::string_view bad : {"", "0d", "-1d", "30", "d", "30 d", "30dd", "1h", "101y", "36501d", "Forever",
                                     "+3d", "99999999999999999999d", "9223372036854775807y", "1.5y"})
    EXPECT_FALSE(parse_retention(bad)) << bad;
  EXPECT_EQ(retention_text(kForever), "forever");
  EXPECT_EQ(retention_text(56), "56d");
}

TEST(Retention, TellsWhatIsTooOld) {
  constexpr int64_t kDay = 86'400'000, kNow = 1'700'000'000'000;
  EXPECT_EQ(too_old_before(30, kNow), kNow - 30 * kDay);
  EXPECT_LE(too_old_before(kForever, kNow), 0) << "nothing is";
}

}  // namespace
}  // namespace ingle::assistant
