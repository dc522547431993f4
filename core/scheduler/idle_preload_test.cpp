// Preloading on a simulated clock, over weights that the system takes away page by page.
#include "core/scheduler/idle_preload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ingle::core {
namespace {

/// Weights in parts of a step each, some of which are in memory.
struct Weights {
  explicit Weights(size_t parts) : there(parts, true) {}
  /// As Engine::preload().
  uint64_t preload(uint64_t from, uint64_t bytes) {
    const size_t part = from / IdlePreload::kStep;
    there.at(part) = true;
    return part + 1 < there.size() ? from + bytes : 0;
  }
  size_t missing() const { return static_cast<size_t>(std::ranges::count(there, false)); }
  std::vector<bool> there;
};

// Of an idle hour in which the system takes a part every second, what is missing at its end.
size_t missing_after_an_hour(bool preload) {
  std::mt19937 random(1);
  Weights weights(100);
  IdlePreload idle;
  idle.worked(0);
  for (double now = 0; now < 3600; now += 0.25) {
    if (now - static_cast<int>(now) == 0) weights.there[random() % 100] = false;
    for (int steps = 0; preload && now >= idle.due && steps < 60; ++steps)
      idle.stepped(now, weights.preload(idle.from, IdlePreload::kStep));
  }
  return weights.missing();
}

TEST(IdlePreload, HasAllBackWithinAMinute) {
  EXPECT_GT(missing_after_an_hour(false), 99u);
  EXPECT_LT(missing_after_an_hour(true), 61u);
}

// What was taken at once is back after a minute and a moment, and then nothing is done until the next.
TEST(IdlePreload, GoesOverAllOfItOnceAMinute) {
  Weights weights(10);
  IdlePreload idle;
  idle.worked(1000);
  EXPECT_EQ(idle.due, 1000 + IdlePreload::kFirstSeconds);
  weights.there.assign(weights.there.size(), false);
  double now = idle.due;
  int steps = 0;
  for (; now >= idle.due; ++steps) idle.stepped(now, weights.preload(idle.from, IdlePreload::kStep));
  EXPECT_EQ(steps, 10);
  EXPECT_EQ(weights.missing(), 0u);
  EXPECT_EQ(idle.due, now + IdlePreload::kEverySeconds);
  EXPECT_EQ(idle.from, 0u);
}

// Work comes in the middle of a round: none of it goes on then.
TEST(IdlePreload, WaitsWhileThereIsWork) {
  IdlePreload idle;
  idle.worked(0);
  idle.stepped(5, IdlePreload::kStep);
  EXPECT_EQ(idle.due, 5);
  idle.worked(6);
  EXPECT_EQ(idle.due, 6 + IdlePreload::kFirstSeconds);
  EXPECT_EQ(idle.from, 0u);
}

}  // namespace
}  // namespace ingle::core
