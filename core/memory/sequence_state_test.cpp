// Sequences' pages: who shares which, what windows leave behind, and that nothing is lost or taken twice.
#include "core/memory/sequence_state.h"

#include <gtest/gtest.h>

#include <set>

#include "core/memory/test_memory.h"

namespace ingle::core {
namespace {

constexpr uint64_t kPageBytes = TestMemory::kPageBytes;

class SequenceStateTest : public testing::Test {
 protected:
  /// Extends by `rows`, and marks each new position's page with `mark`.
  static void write(SequenceState& state, uint32_t rows, int mark) {
    state.extend(rows);
    for (uint32_t i = 0; i < rows; ++i) {
      const uint32_t position = state.length() + i;
      for (const PageTable table : state.pages())
        table[position / kPagePositions][position % kPagePositions] = static_cast<std::byte>(mark);
    }
    state.append(rows);
  }
  static int mark(const SequenceState& state, size_t group, uint32_t position) {
    const std::byte* page = state.pages()[group][position / kPagePositions];
    return page == nullptr ? -1 : static_cast<int>(page[position % kPagePositions]);
  }

  TestMemory memory_;
};

TEST_F(SequenceStateTest, HasAPagePer64Positions) {
  StatePools pools(memory_, {{0}, 100, 1000});
  EXPECT_EQ(pools.sequence_bytes(1000), 16 * (kPageBytes + 12)) << "and an entry of the tables";
  auto state = SequenceState::create(pools).value();
  EXPECT_EQ(pools.pool(0).used(), 0u);
  write(state, 1, 1);
  EXPECT_EQ(pools.pool(0).used(), 1u);
  write(state, 63, 2);
  EXPECT_EQ(pools.pool(0).used(), 1u);
  write(state, 1, 3);
  EXPECT_EQ(pools.pool(0).used(), 2u);
  EXPECT_EQ(state.truncate(64), 64u);
  EXPECT_EQ(pools.pool(0).used(), 1u);
  EXPECT_EQ(state.truncate(70), 64u) << "there are no more";
  EXPECT_EQ(mark(state, 0, 0), 1);
  EXPECT_EQ(mark(state, 0, 63), 2);
  EXPECT_EQ(mark(state, 0, 64), -1);
  EXPECT_EQ(memory_.discarded, 0);
}

TEST_F(SequenceStateTest, ForksShareUntilOneWrites) {
  StatePools pools(memory_, {{0}, 100, 1000});
  auto a = SequenceState::create(pools).value();
  write(a, 100, 1);
  auto b = a.fork().value();
  EXPECT_EQ(b.length(), 100u);
  EXPECT_EQ(pools.pool(0).used(), 2u);
  write(b, 10, 2);
  EXPECT_EQ(memory_.copies, 1) << "of the page that was begun";
  EXPECT_EQ(pools.pool(0).used(), 3u);
  write(a, 10, 3);
  EXPECT_EQ(memory_.copies, 1) << "it has that page for itself by now";
  for (const auto* state : {&a, &b}) {
    EXPECT_EQ(mark(*state, 0, 99), 1);
    EXPECT_EQ(mark(*state, 0, 100), state == &a ? 3 : 2);
  }
  EXPECT_EQ(a.pages()[0][0], b.pages()[0][0]);
  // At the end of a page nothing needs to be copied.
  EXPECT_EQ(a.truncate(64), 64u);
  auto c = a.fork().value();
  write(c, 1, 4);
  EXPECT_EQ(memory_.copies, 1);
  a = std::move(c);
  EXPECT_EQ(mark(a, 0, 64), 4);
}

TEST_F(SequenceStateTest, ThereIsRoomForWhatEverySequenceCanHold) {
  StatePools pools(memory_, {{0, 128}, 64, 1024});
  std::vector<SequenceState> states;
  states.push_back(SequenceState::create(pools).value());
  write(states.front(), 64, 0);
  for (int i = 1; i < 5; ++i) states.push_back(states.front().fork().value());
  for (int i = 0; i < 5; ++i)
    while (states[i].length() + 64 <= states[i].capacity()) write(states[i], 64, i + 1);
  std::set<std::byte*> pages;
  for (const SequenceState& state : states) {
    EXPECT_EQ(mark(state, 0, 63), 0);
    for (uint32_t page = 1; page < 16; ++page) EXPECT_TRUE(pages.insert(state.pages()[0][page]).second);
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(mark(states[i], 0, 1023), i + 1);
  states.clear();
  EXPECT_EQ(pools.pool(0).used() + pools.pool(1).used(), 0u);
  EXPECT_GT(memory_.discarded, 0) << "memory of a sequence that is gone goes back";
}

TEST_F(SequenceStateTest, AWindowLeavesPagesBehind) {
  constexpr uint32_t kWindow = 200, kRows = 70, kPositions = 4000;
  StatePools pools(memory_, {{kWindow, 0}, kRows, kPositions});
  auto state = SequenceState::create(pools).value();
  for (uint32_t rows = 1; state.length() + kRows <= kPositions; rows = rows % kRows + 1) {
    const uint32_t first = state.length();
    write(state, rows, 1);
    // All that the first of the new rows sees is there.
    EXPECT_EQ(mark(state, 0, first + 1 - std::min(first + 1, kWindow)), 1);
    EXPECT_EQ(mark(state, 1, 0), 1);
    EXPECT_LE(pools.pool(0).used(), pools.options().pages(0, kPositions));
  }
  EXPECT_EQ(mark(state, 0, 0), -1);
  EXPECT_LT(pools.sequence_bytes(kPositions),
            2 * (kPositions / kPagePositions + 1) * (kPageBytes + 12) - 50 * kPageBytes);
  // A little way back it goes on as if it had never been further; too far, and it starts from nothing.
  const uint32_t back = state.length() - kRewindPositions;
  EXPECT_EQ(state.truncate(back), back);
  EXPECT_EQ(mark(state, 0, back + 1 - kWindow), 1);
  write(state, 1, 2);
  EXPECT_EQ(state.truncate(1000), 0u);
  EXPECT_EQ(pools.pool(0).used() + pools.pool(1).used(), 0u);
  write(state, 3, 3);
  EXPECT_EQ(mark(state, 0, 2), 3);
}

TEST_F(SequenceStateTest, BecomesAnother) {
  StatePools pools(memory_, {{100}, 64, 1000});
  auto a = SequenceState::create(pools).value(), b = SequenceState::create(pools).value();
  write(a, 64, 1);
  write(b, 30, 2);
  b.become(a);
  while (a.length() < 640) write(a, 64, 3);
  EXPECT_EQ(b.length(), 64u);
  EXPECT_EQ(mark(b, 0, 0), 1) << "what a left behind, b has still";
  a.become(b);
  EXPECT_EQ(a.length(), 64u);
  EXPECT_EQ(pools.pool(0).used(), 1u);
}

TEST_F(SequenceStateTest, SaysWhenThereIsNoMemory) {
  StatePools pools(memory_, {{0}, 64, 1000});
  memory_.full = true;
  const auto state = SequenceState::create(pools);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, base::ErrorCode::out_of_memory);
}

TEST_F(SequenceStateTest, FillsOnlyWithWhatASequenceHas) {
  StatePools pools(memory_, {{0, 128}, 64, 1024});
  auto state = SequenceState::create(pools).value();
  const auto fill = [&](uint32_t length, uint32_t all, uint32_t windowed) {
    const uint32_t first[] = {all, windowed};
    return state.fill(length, first);
  };
  EXPECT_FALSE(fill(1025, 0, 0)) << "too long";
  EXPECT_FALSE(fill(700, 1, 5)) << "a page is missing";
  EXPECT_FALSE(fill(700, 0, 10)) << "and one that the window reaches";
  EXPECT_FALSE(fill(700, 0, 0)) << "more than a window keeps";
  EXPECT_FALSE(fill(700, 0, 12)) << "beyond the end";
  EXPECT_EQ(pools.pool(0).used() + pools.pool(1).used(), 0u);
  EXPECT_TRUE(fill(700, 0, 7));
  EXPECT_EQ(state.length(), 700u);
  EXPECT_EQ(pools.pool(0).used(), 11u);
  EXPECT_EQ(pools.pool(1).used(), 4u);
}

}  // namespace
}  // namespace ingle::core
