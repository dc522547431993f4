// The controller on a simulated clock: how soon a core is left and taken back, and what each signal does alone.
#include "assistant/pacing/pace_controller.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ingle::assistant {
namespace {

constexpr int64_t kMs = 1'000'000, kPeriod = 50 * kMs;

DeviceLoad others(double running, double waiting = 0) {
  DeviceLoad load;
  load.others_running = running;
  load.others_waiting = waiting;
  return load;
}

/// A controller and its clock.
struct Simulation {
  explicit Simulation(const PaceLimits& limits) : controller(limits) { step({}); }

  const core::Pace& step(const DeviceLoad& load) {
    now += kPeriod;
    return pace = controller.next(load, now);
  }
  void run(const DeviceLoad& load, int64_t milliseconds) {
    for (const int64_t end = now + milliseconds * kMs; now < end;) step(load);
  }
  /// Milliseconds until there are so many threads, at most ten seconds.
  int64_t until(const DeviceLoad& load, uint32_t threads) {
    const int64_t begin = now;
    while (step(load).threads != threads && now - begin < 10'000 * kMs) continue;
    return (now - begin) / kMs;
  }

  PaceController controller;
  int64_t now = 0;
  core::Pace pace;
};

TEST(PaceController, TakesAllWhereNobodyElseIsThere) {
  Simulation quiet({.threads = 4, .cores = 4});
  quiet.run(others(0.05, 0.02), 5000);
  EXPECT_EQ(quiet.pace, (core::Pace{.threads = 4}));
}

// A page that needs 50 % of a core, in a browser that needs as much again, on two cores.
TEST(PaceController, LeavesACoreWithinATenthOfASecondAndTakesItBackWithinTwo) {
  Simulation laptop({.threads = 2, .cores = 2});
  laptop.run(others(0.05), 3000);
  EXPECT_LE(laptop.until(others(0.7, 0.3), 1), 100);
  EXPECT_EQ(laptop.pace.reasons, core::pace_others);
  EXPECT_LE(laptop.pace.pass_ms, 100);
  laptop.run(others(0.8, 0.05), 60'000);
  EXPECT_EQ(laptop.pace.threads, 1);
  EXPECT_EQ(laptop.pace.rest, 0);
  const int64_t back = laptop.until(others(0.05), 2);
  EXPECT_GE(back, 500);
  EXPECT_LE(back, 1500);
  EXPECT_EQ(laptop.pace.reasons, 0);
}

TEST(PaceController, LeavesAsManyCoresAsOthersNeed) {
  for (const auto& [needed, threads] :
       std::vector<std::pair<double, uint32_t>>{{0.2, 8}, {0.9, 7}, {2.2, 6}, {3.0, 5}, {6.9, 1}, {12.0, 1}}) {
    Simulation desktop({.threads = 8, .cores = 8});
    desktop.run(others(needed), 3000);
    EXPECT_EQ(desktop.pace.threads, threads) << needed;
  }
  // Fewer threads than cores: there is room.
  Simulation few({.threads = 2, .cores = 8});
  few.run(others(5), 3000);
  EXPECT_EQ(few.pace, (core::Pace{.threads = 2}));
}

// One burst of 20 ms, as a clock or a mail program makes it.
TEST(PaceController, OverlooksAShortBurst) {
  Simulation laptop({.threads = 2, .cores = 2});
  for (int i = 0; i < 20; ++i) {
    laptop.step(others(0.4));
    EXPECT_EQ(laptop.pace.threads, 2);
    laptop.run(others(0), 450);
  }
}

// On for a second, off for a second: after a while the core is left alone, and yet taken back in the end.
TEST(PaceController, DoesNotFollowOthersWhoComeAndGo) {
  Simulation laptop({.threads = 2, .cores = 2});
  int changes = 0;
  for (int second = 0; second < 60; ++second) {
    const uint32_t before = laptop.pace.threads;
    for (int i = 0; i < 20; ++i) {
      const uint32_t last = laptop.pace.threads;
      laptop.step(others(second % 2 == 0 ? 0.9 : 0.0));
      changes += laptop.pace.threads != last ? 1 : 0;
    }
    if (second > 10) {
      EXPECT_EQ(laptop.pace.threads, 1) << second << " s, before: " << before;
    }
  }
  EXPECT_LE(changes, 8);
  EXPECT_LE(laptop.until(others(0), 2), 9000);
  // Long afterwards it is as quick as at first.
  laptop.run(others(0), 10'000);
  EXPECT_LE(laptop.until(others(0.9), 1), 100);
  laptop.run(others(0.9), 2000);
  EXPECT_LE(laptop.until(others(0), 2), 1500);
}

// Three tenths of the time at most, so that answers go on.
TEST(PaceController, RestsWhereTheLastCoreIsNeeded) {
  Simulation tablet({.threads = 1, .cores = 1});
  tablet.run(others(0.1), 2000);
  EXPECT_EQ(tablet.pace, (core::Pace{.threads = 1}));
  tablet.run(others(0.45), 2000);
  EXPECT_NEAR(tablet.pace.rest, 0.15, 0.02);
  tablet.run(others(0.6), 2000);
  EXPECT_NEAR(tablet.pace.rest, 0.3, 0.02);
  EXPECT_LE(tablet.pace.pass_ms, 50);
  tablet.run(others(1, 3), 2000);
  EXPECT_EQ(tablet.pace.rest, 0.3);
  tablet.run(others(0), 2000);
  EXPECT_EQ(tablet.pace, (core::Pace{.threads = 1}));
}

// What is kept from running by its own low priority waits all the time.
TEST(PaceController, DoesNotWaitForWhoWaitsWithoutRunning) {
  Simulation laptop({.threads = 2, .cores = 2});
  laptop.run(others(0.02, 4), 3000);
  EXPECT_EQ(laptop.pace.threads, 2);
  // Who both runs and waits wants more than it gets.
  laptop.run(others(0.5, 4), 3000);
  EXPECT_EQ(laptop.pace.threads, 1);
}

TEST(PaceController, SparesAHotDevice) {
  Simulation laptop({.threads = 4, .cores = 4});
  DeviceLoad load = others(0);
  const auto at = [&](double margin) {
    load.heat_margin = margin;
    return laptop.step(load);
  };
  EXPECT_EQ(at(20).threads, 4);
  EXPECT_EQ(at(4).threads, 2);
  EXPECT_EQ(laptop.pace.reasons, core::pace_heat);
  EXPECT_EQ(laptop.pace.rest, 0.25);
  EXPECT_EQ(at(-1).rest, 0.5);
  EXPECT_EQ(at(7).threads, 2);  // not yet cool
  EXPECT_EQ(at(9), (core::Pace{.threads = 4}));
  EXPECT_EQ(at(7).threads, 4);  // not yet warm
}

TEST(PaceController, SparesALowBattery) {
  Simulation laptop({.threads = 4, .cores = 4});
  DeviceLoad load = others(0);
  const auto at = [&](std::optional<double> battery) {
    load.battery = battery;
    return laptop.step(load);
  };
  EXPECT_EQ(at(0.5), (core::Pace{.threads = 4}));
  EXPECT_EQ(at(0.2).threads, 2);
  EXPECT_EQ(laptop.pace.reasons, core::pace_battery);
  EXPECT_EQ(laptop.pace.rest, 0);
  EXPECT_EQ(at(0.1).rest, 0.5);
  EXPECT_EQ(at(0.22).threads, 2);
  EXPECT_EQ(at(std::nullopt), (core::Pace{.threads = 4}));  // charging
}

TEST(PaceController, TakesFewerThreadsWhereAQuotaIsUsedUp) {
  Simulation container({.threads = 4, .cores = 4});
  DeviceLoad load = others(0);
  load.throttled = 0.5;
  container.step(load);
  EXPECT_EQ(container.pace.threads, 3);
  EXPECT_EQ(container.pace.reasons, core::pace_quota);
  container.run(load, 5000);
  EXPECT_EQ(container.pace.threads, 1);
  load.throttled = 0;
  container.run(load, 4000);
  EXPECT_EQ(container.pace.threads, 1);
  container.run(load, 20'000);
  EXPECT_EQ(container.pace, (core::Pace{.threads = 4}));
}

TEST(PaceController, TakesTheLeastOfWhatItsReasonsAllow) {
  Simulation laptop({.threads = 4, .cores = 4});
  DeviceLoad load = others(3);
  load.heat_margin = 3;
  load.battery = 0.05;
  laptop.run(load, 2000);
  EXPECT_EQ(laptop.pace.threads, 1);
  EXPECT_EQ(laptop.pace.rest, 0.5);
  EXPECT_EQ(laptop.pace.reasons, core::pace_others | core::pace_heat | core::pace_battery);
}

TEST(PaceController, KnowsNothingAndTakesAll) {
  Simulation blind({.threads = 4, .cores = 4});
  blind.run({}, 5000);
  EXPECT_EQ(blind.pace, (core::Pace{.threads = 4}));
  DeviceLoad load;
  load.others_running = 2.0;  // no word of waiting
  blind.run(load, 2000);
  EXPECT_EQ(blind.pace.threads, 2);
}

// The same signals at the same times give the same paces, whatever they are; and each is one that can be kept.
TEST(PaceController, IsAFunctionOfItsInput) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> share(0, 1);
  for (int run = 0; run < 20; ++run) {
    const PaceLimits limits{.threads = 1 + static_cast<uint32_t>(random() % 8), .cores = 0.5 + 8 * share(random)};
    PaceController a(limits), b(limits);
    int64_t now = 0;
    for (int i = 0; i < 500; ++i) {
      DeviceLoad load;
      if (random() % 4 != 0) load.others_running = 10 * share(random);
      if (random() % 4 != 0) load.others_waiting = 10 * share(random);
      if (random() % 4 == 0) load.throttled = share(random);
      if (random() % 4 == 0) load.heat_margin = 100 * share(random) - 50;
      if (random() % 4 == 0) load.battery = share(random);
      now += static_cast<int64_t>(random() % 1000) * kMs;
      const core::Pace pace = a.next(load, now);
      EXPECT_EQ(pace, b.next(load, now));
      EXPECT_GE(pace.threads, 1u);
      EXPECT_LE(pace.threads, limits.threads);
      EXPECT_GE(pace.rest, 0);
      EXPECT_LE(pace.rest, 0.5);
      EXPECT_EQ(pace.reasons == 0, (pace == core::Pace{.threads = limits.threads}));
    }
  }
}

}  // namespace
}  // namespace ingle::assistant
