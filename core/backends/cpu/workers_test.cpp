// The pool: phases in order, every item once, and no waiting for a worker that has nothing in hand.
#include "core/backends/cpu/workers.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <latch>

namespace ingle::core {
namespace {

constexpr size_t kItems = 37;

// Phase p of a job adds up what phase p - 1 left, so that an item done early, twice or never shows in all that follow.
struct Chain {
  explicit Chain(size_t count) : phases(count), values(count + 1, std::vector<uint64_t>(kItems, 1)) {}
  void reset() {
    for (Phase& phase : phases) phase.reset();
    for (size_t p = 1; p < values.size(); ++p) values[p].assign(kItems, 0);
  }
  void work(size_t p, Counter& counter) {
    counter.take_from(phases[p]);
    counter.take(kItems, 1 + p % 5, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) values[p + 1][i] += values[p][i] + values[p][(i + 1) % kItems];
    });
  }
  std::vector<Phase> phases;
  std::vector<std::vector<uint64_t>> values;
};

TEST(Workers, DoEveryItemOnceAndPhasesInOrder) {
  for (const uint32_t count : {1u, 2u, 3u, 8u}) {  // more than there are cores, too
    Workers workers(count);
    Chain chain(20);
    for (int job = 0; job < 200; ++job) {
      chain.reset();
      workers.run([&](uint32_t) {
        Counter counter;
        for (size_t p = 0; p < chain.phases.size(); ++p) {
          chain.work(p, counter);
          workers.finish(counter);
        }
      });
      EXPECT_EQ(chain.values.back(), std::vector<uint64_t>(kItems, uint64_t{1} << 20)) << count << " workers";
    }
  }
}

// Kinds of work that do not depend on each other share a phase; a kind may have no items at all.
TEST(Workers, FinishSeveralKindsOfWorkTogether) {
  Workers workers(3);
  std::vector<std::atomic<int>> done(3 * kItems);
  for (int job = 0; job < 200; ++job) {
    std::array<Phase, 4> phases;
    for (auto& item : done) item = 0;
    workers.run([&](uint32_t) {
      Counter counter;
      for (size_t kind = 0; kind < 3; ++kind) {
        counter.take_from(phases[kind]);
        counter.take(kind == 1 ? 0 : kItems, 4, [&](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) ++done[kind * kItems + i];
        });
      }
      workers.finish(counter);
      for (size_t i = 0; i < done.size(); ++i) EXPECT_EQ(done[i], i / kItems == 1 ? 0 : 1);
      counter.take_from(phases[3]);
      counter.take(0, 1, [](size_t, size_t) { ADD_FAILURE(); });
      workers.finish(counter);
    });
  }
}

// Each item once and in order, from multiples of the unit on; few pieces, and nobody is left with much at the end.
TEST(Pieces, AreFewAndSmallAtTheEnd) {
  for (size_t items = 0; items < 1200; items = items * 5 / 4 + 1)
    for (const size_t workers : {1, 2, 3, 16, 100})
      for (const size_t unit : {1, 2}) {
        const size_t parts = workers % 2 == 0 ? 4 : 2;
        const Cut pieces = cut(items, workers, unit, parts);
        size_t count = 0, last = 0;
        for (; pieces.begin(count) < items; ++count) {
          EXPECT_EQ(pieces.begin(count) % unit, 0);
          last = pieces.begin(count + 1) - pieces.begin(count);
          EXPECT_GT(last, 0);
        }
        const std::string where = std::to_string(items) + " items, " + std::to_string(workers) + " workers";
        EXPECT_LE(last, std::max(items / workers / parts / 4, unit)) << where;
        EXPECT_LE(pieces.begin(1), std::max(items / workers / parts, unit)) << where;
        EXPECT_LE(count, (parts * 4 + 2) * workers) << where;
        EXPECT_EQ(pieces.begin(0), 0);
      }
}

// Each item once and in order; no two pieces differ by more than a unit, but the last one may lack some of its unit;
// and no worker has a piece more than another, if there are enough.
TEST(Pieces, AreEven) {
  for (size_t items = 0; items < 1200; items = items * 9 / 8 + 1)
    for (const size_t workers : {1, 2, 3, 16, 100})
      for (const size_t unit : {1, 2})
        for (const size_t most : {2, 16}) {
          const Cut pieces = even_cut(items, workers, unit, most);
          size_t count = 0, smallest = most, largest = 0;
          for (; pieces.begin(count) < items; ++count) {
            EXPECT_EQ(pieces.begin(count) % unit, 0);
            const size_t size = pieces.begin(count + 1) - pieces.begin(count);
            smallest = std::min(smallest, size);
            largest = std::max(largest, size);
          }
          const std::string where =
              std::to_string(items) + " items, " + std::to_string(workers) + " workers, " + std::to_string(most);
          EXPECT_EQ(pieces.begin(0), 0);
          EXPECT_LE(largest, most) << where;
          EXPECT_LE(largest, smallest + unit) << where;
          EXPECT_TRUE(count % workers == 0 || items < workers * most || most == unit) << where;
          EXPECT_LE(count, items / most + workers) << where;
        }
}

// Held to places, or left where the system puts them if it knows no such place; the caller may always go anywhere.
TEST(Workers, StayInTheirPlaces) {
  const CpuSet allowed = allowed_cpus();
  const std::array<CpuSet, 2> places = {CpuSet{allowed.front()}, CpuSet{allowed.back()}};
  const std::array<CpuSet, 1> nowhere = {CpuSet{8191}};
  for (const bool real : {true, false}) {
    Workers workers(4, real ? std::span<const CpuSet>(places) : std::span<const CpuSet>(nowhere));
    EXPECT_EQ(workers.held(), real ? 3 : 0);
    std::array<CpuSet, 4> seen;
    std::latch all(4);
    workers.run([&](uint32_t worker) {
      seen[worker] = allowed_cpus();
      all.arrive_and_wait();
    });
    EXPECT_EQ(seen[0], allowed);
    for (uint32_t worker = 1; worker < 4; ++worker) EXPECT_EQ(seen[worker], real ? places[worker % 2] : allowed);
  }
}

// A worker whose core is taken away between two pieces holds nobody up.
TEST(Workers, DoNotWaitForOneThatHasNothingInHand) {
  Workers workers(2);
  for (int job = 0; job < 20; ++job) {
    Chain chain(20);
    chain.reset();
    std::latch over(1);
    workers.run([&](uint32_t worker) {
      if (worker != 0) over.wait();
      Counter counter;
      for (size_t p = 0; p < chain.phases.size(); ++p) {
        chain.work(p, counter);
        workers.finish(counter);
      }
      if (worker == 0) over.count_down();
    });
    EXPECT_EQ(chain.values.back(), std::vector<uint64_t>(kItems, uint64_t{1} << 20));
  }
}

// Long pauses between and in jobs, so that workers fall asleep at every kind of waiting.
TEST(Workers, WakeWhenTheyAreNeeded) {
  Workers workers(2);
  for (int job = 0; job < 10; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::array<Phase, 2> phases;
    std::atomic<int> sum{0};
    workers.run([&](uint32_t) {
      Counter counter;
      for (Phase& phase : phases) {
        counter.take_from(phase);
        counter.take(2, 1, [&](size_t begin, size_t) {
          if (begin == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
          ++sum;
        });
        workers.finish(counter);
        EXPECT_GE(sum, &phase == &phases[0] ? 2 : 4);
      }
    });
    EXPECT_EQ(sum, 4);
  }
}

// Of four, those that are not active do nothing, until they are again.
TEST(Workers, SleepWhileTheyAreNotActive) {
  Workers workers(4);
  EXPECT_EQ(workers.active(), 4);
  for (const uint32_t active : {1u, 3u, 0u, 2u, 99u, 4u}) {
    workers.set_active(active);
    const uint32_t expected = std::clamp(active, 1u, 4u);
    EXPECT_EQ(workers.active(), expected);
    std::latch all(expected);  // as many come, or this waits for ever
    std::array<std::atomic<int>, 4> came{};
    workers.run([&](uint32_t worker) {
      if (came[worker]++ == 0 && worker < expected) all.arrive_and_wait();
    });
    for (uint32_t worker = 0; worker < 4; ++worker) EXPECT_EQ(came[worker] > 0, worker < expected) << worker;
  }
}

// Between two phases of a job; the others do the rest.
TEST(Workers, LeaveInTheMiddleOfAJob) {
  Workers workers(3);
  for (int job = 0; job < 20; ++job) {
    Chain chain(20);
    chain.reset();
    workers.set_active(3);
    std::latch all(3);
    std::array<size_t, 3> phases{};
    workers.run([&](uint32_t worker) {
      if (phases[worker] == 0) all.arrive_and_wait();
      Counter counter;
      for (size_t p = 0; p < chain.phases.size(); ++p) {
        if (worker == 1 && p == 5) workers.set_active(1);
        chain.work(p, counter);
        workers.finish(counter);
        phases[worker] = std::max(phases[worker], p + 1);
        if (workers.leaves(worker)) return;
      }
    });
    EXPECT_EQ(chain.values.back(), std::vector<uint64_t>(kItems, uint64_t{1} << 20));
    EXPECT_EQ(phases[0], 20);
    EXPECT_EQ(phases[1], 6);
  }
}

// Whenever the number changes: each item is done once, in every job.
TEST(Workers, ComeAndGoWhileJobsRun) {
  Workers workers(4);
  std::atomic<bool> over{false};
  std::thread changing([&] {
    for (uint32_t i = 0; !over; ++i) {
      workers.set_active(1 + i * 7 % 4);
      std::this_thread::sleep_for(std::chrono::microseconds(i % 50));
    }
  });
  Chain chain(20);
  for (int job = 0; job < 500; ++job) {
    chain.reset();
    workers.run([&](uint32_t worker) {
      Counter counter;
      for (size_t p = 0; p < chain.phases.size(); ++p) {
        chain.work(p, counter);
        workers.finish(counter);
        if (workers.leaves(worker)) return;
      }
    });
    ASSERT_EQ(chain.values.back(), std::vector<uint64_t>(kItems, uint64_t{1} << 20)) << job;
  }
  over = true;
  changing.join();
}

}  // namespace
}  // namespace ingle::core
