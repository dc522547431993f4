// What answers say of a model's speed: which count, the median, and that it stays.
#include "server/app/speeds.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ingle::server {
namespace {

core::GenerationStats answer(uint32_t tokens, double ms) {
  core::GenerationStats stats;
  stats.prompt_tokens = 10;
  stats.generated_tokens = tokens + 1;
  stats.decode_ms = ms;
  return stats;
}

class SpeedsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  Speeds speeds() {
    return Speeds(folder_, [](const std::function<void()>& work) { later_ = work; });
  }
  static void run_later() {
    if (later_) std::exchange(later_, {})();
  }
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "speeds_test";
  static inline std::function<void()> later_;
};

TEST_F(SpeedsTest, TellTheMedianOfTheLastRuns) {
  Speeds speeds = this->speeds();
  EXPECT_FALSE(speeds.decode("a"));
  speeds.note("a", answer(100, 1000));
  EXPECT_EQ(speeds.decode("a")->tokens_per_second, 100);
  speeds.note("a", answer(100, 10000));
  speeds.note("a", answer(100, 2000));
  EXPECT_EQ(speeds.decode("a")->tokens_per_second, 50);
  EXPECT_EQ(speeds.decode("a")->runs, 3u);
  for (int i = 0; i < 20; ++i) speeds.note("a", answer(100, 500));
  EXPECT_EQ(speeds.decode("a")->tokens_per_second, 200);
  EXPECT_LT(speeds.decode("a")->runs, 20u);
  EXPECT_FALSE(speeds.decode("b"));
  speeds.forget("a");
  EXPECT_FALSE(speeds.decode("a"));
}

TEST_F(SpeedsTest, CountOnlyWhatSaysSomething) {
  Speeds speeds = this->speeds();
  speeds.note("a", answer(3, 100));  // too short
  core::GenerationStats repeated = answer(100, 1000);
  repeated.taken_tokens = 50;  // says how much the text repeats itself
  speeds.note("a", repeated);
  core::GenerationStats disturbed = answer(100, 1000);
  disturbed.preemptions = 1;
  speeds.note("a", disturbed);
  speeds.note("", answer(100, 1000));
  EXPECT_FALSE(speeds.decode("a"));
  core::GenerationStats read = answer(0, 0);
  read.prompt_tokens = 300;
  read.cached_tokens = 100;
  read.prefill_ms = 1000;
  speeds.note("a", read);
  EXPECT_EQ(speeds.prefill("a")->tokens_per_second, 200);
  EXPECT_FALSE(speeds.decode("a"));
}

TEST_F(SpeedsTest, AreKept) {
  {
    Speeds speeds = this->speeds();
    speeds.note("a", answer(100, 1000));
    run_later();
    speeds.note("b", answer(100, 500));  // kept at the end
  }
  const Speeds again = speeds();
  EXPECT_EQ(again.decode("a")->tokens_per_second, 100);
  EXPECT_EQ(again.decode("b")->tokens_per_second, 200);
}

TEST_F(SpeedsTest, AreNotTakenFromADamagedFile) {
  {
    speeds().note("a", answer(100, 1000));
  }
  ASSERT_TRUE(speeds().decode("a"));
  for (const char* text : {"", "[]", "{\"version\": 2}", "{\"version\": 1, \"entries\": [{\"file\": \"a\"}]}"}) {
    std::ofstream(folder_ / "speeds.json") << text;
    EXPECT_FALSE(speeds().decode("a")) << text;
  }
}

}  // namespace
}  // namespace ingle::server
