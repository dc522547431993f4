// The thread that watches: it hands on each new pace once, and ends at once.
#include "assistant/pacing/pacer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace ingle::assistant {
namespace {

TEST(Pacer, HandsOnEachNewPaceOnce) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "pacer";
  std::filesystem::remove_all(root);
  const std::filesystem::path battery = root / "sys" / "class" / "power_supply" / "BAT0";
  std::filesystem::create_directories(battery);
  std::ofstream(battery / "type") << "Battery\n";
  std::ofstream(battery / "status") << "Discharging\n";
  std::ofstream(battery / "capacity") << "15\n";
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<core::Pace> paces;
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), [&] { return paces.size() >= count; });
  };
  {
    Pacer pacer(LoadReader({0}, {root / "proc", root / "sys"}), {.threads = 4, .cores = 4},
                {.busy = [] { return true; },
                 .own = [] { return std::vector<int>{1}; },
                 .set =
                     [&](const core::Pace& pace) {
                       const std::lock_guard lock(mutex);
                       paces.push_back(pace);
                       changed.notify_all();
                     }});
    ASSERT_TRUE(wait_for(1));
    std::ofstream(battery / "status") << "Charging\n";
    ASSERT_TRUE(wait_for(2));
  }
  std::filesystem::remove_all(root);
  ASSERT_EQ(paces.size(), 2u);
  EXPECT_EQ(paces[0].threads, 2u);
  EXPECT_EQ(paces[0].reasons, core::pace_battery);
  EXPECT_EQ(paces[1], (core::Pace{.threads = 4}));
}

}  // namespace
}  // namespace ingle::assistant
