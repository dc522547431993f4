// Saved states: what is read is what was written, and nothing else is taken for one.
#include "core/memory/state_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>

#include "base/files.h"
#include "base/hash.h"
#include "core/memory/sequence_state.h"
#include "core/memory/test_memory.h"

namespace ingle::core {
namespace {

const std::string kKey(kStateKeyBytes, 'k');

class StateFileTest : public testing::Test {
 protected:
  StateFileTest() : pools_(memory_, {{0, 128}, 64, 1024}), path_(testing::TempDir() + "/state_file_test.state") {}
  ~StateFileTest() override { std::filesystem::remove(path_); }

  /// A state of that many positions, of which each page is full of its own number.
  SequenceState state_of(uint32_t length) {
    auto state = SequenceState::create(pools_).value();
    while (state.length() < length) {
      const uint32_t rows = std::min(64u, length - state.length());
      state.extend(rows);
      state.append(rows);
    }
    for (size_t g = 0; g < pools_.groups(); ++g)
      for (uint32_t page = state.first_page(g); page < state.end_page(g); ++page)
        std::memset(state.pages()[g][page], static_cast<int>(100 * g + page + 1), TestMemory::kPageBytes);
    return state;
  }
  static std::vector<int32_t> tokens(uint32_t length) {
    std::vector<int32_t> tokens(length);
    std::iota(tokens.begin(), tokens.end(), 1000);
    return tokens;
  }
  std::string content() const { return base::read_file(path_, 1 << 20).value(); }
  /// The error of reading that content; io_error where there is none.
  base::ErrorCode error_of(std::string_view bytes, std::string_view key = kKey) {
    std::ofstream(path_, std::ios::binary) << bytes;
    auto state = SequenceState::create(pools_).value();
    const auto read = read_state_file(path_, key, state);
    EXPECT_EQ(state.length(), read.ok() ? read->size() : 0);
    return read.ok() ? base::ErrorCode::io_error : read.error().code;
  }

  TestMemory memory_;
  StatePools pools_;
  std::filesystem::path path_;
};

TEST_F(StateFileTest, ReadsWhatWasWritten) {
  for (const uint32_t length : {0u, 1u, 64u, 700u, 1024u}) {
    const SequenceState state = state_of(length);
    ASSERT_TRUE(write_state_file(path_, state, kKey, tokens(length)).ok());
    auto other = SequenceState::create(pools_).value();
    const auto read = read_state_file(path_, kKey, other);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, tokens(length));
    ASSERT_EQ(other.length(), length);
    for (size_t g = 0; g < pools_.groups(); ++g) {
      ASSERT_EQ(other.first_page(g), state.first_page(g));
      ASSERT_EQ(other.end_page(g), state.end_page(g));
      for (uint32_t page = state.first_page(g); page < state.end_page(g); ++page)
        EXPECT_EQ(std::memcmp(other.pages()[g][page], state.pages()[g][page], TestMemory::kPageBytes), 0);
    }
    if (length + 64 <= other.capacity()) other.extend(64);
  }
}

TEST_F(StateFileTest, RefusesWhatIsNotTheSame) {
  const SequenceState state = state_of(700);
  ASSERT_TRUE(write_state_file(path_, state, kKey, tokens(700)).ok());
  const std::string good = content();
  EXPECT_EQ(error_of(good, std::string(kStateKeyBytes, 'x')), base::ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(good), base::ErrorCode::io_error) << "the control";
  // Every byte counts.
  for (size_t at = 0; at < good.size(); at += at < 600 ? 1 : 61) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    EXPECT_NE(error_of(bad), base::ErrorCode::io_error) << at;
  }
  for (size_t size = 0; size < good.size(); size += size < 200 ? 1 : 97)
    EXPECT_NE(error_of(good.substr(0, size)), base::ErrorCode::io_error) << size;
  EXPECT_EQ(error_of(good + "x"), base::ErrorCode::corrupt);
  std::string later = good;
  later[8] = 2;
  EXPECT_EQ(error_of(later), base::ErrorCode::unsupported);
  StatePools small(memory_, {{0, 128}, 64, 640});
  auto shorter = SequenceState::create(small).value();
  std::ofstream(path_, std::ios::binary) << good;
  EXPECT_EQ(read_state_file(path_, kKey, shorter).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(read_state_file("/nowhere", kKey, shorter).error().code, base::ErrorCode::not_found);
}

// Pages moved from one group to the other, or left out with their hashes, in a file whose hashes all are right.
TEST_F(StateFileTest, RefusesOtherPagesThanThePositionsTake) {
  constexpr size_t kHashAt = 56, kTablesAt = 64 + kStateKeyBytes, kPagesAt = 12, kNextGroup = 16;
  const uint32_t length = 100, pages = 2;
  ASSERT_TRUE(write_state_file(path_, state_of(length), kKey, tokens(length)).ok());
  const std::string good = content();
  const size_t hashes_at = kTablesAt + 2 * kNextGroup + length * sizeof(int32_t);
  const auto with_pages = [&](uint32_t one, uint32_t two, size_t tables_end, std::string bytes) {
    std::memcpy(&bytes[kTablesAt + kPagesAt], &one, sizeof one);
    std::memcpy(&bytes[kTablesAt + kNextGroup + kPagesAt], &two, sizeof two);
    std::memset(&bytes[kHashAt], 0, sizeof(uint64_t));
    const uint64_t hash = base::hash64(std::as_bytes(std::span(bytes).first(tables_end)));
    std::memcpy(&bytes[kHashAt], &hash, sizeof hash);
    return bytes;
  };
  const size_t end = hashes_at + 2 * pages * sizeof(uint64_t);
  EXPECT_EQ(error_of(with_pages(pages, pages, end, good)), base::ErrorCode::io_error) << "the control";
  EXPECT_EQ(error_of(with_pages(pages - 1, pages + 1, end, good)), base::ErrorCode::corrupt);
  std::string without = good.substr(0, good.size() - TestMemory::kPageBytes);
  without.erase(end - sizeof(uint64_t), sizeof(uint64_t));
  EXPECT_EQ(error_of(with_pages(pages, pages - 1, end - sizeof(uint64_t), without)), base::ErrorCode::corrupt);
  EXPECT_EQ(error_of(with_pages(pages - 1, pages, end - sizeof(uint64_t), without)), base::ErrorCode::corrupt);
}

// What a state is of can be told without its pages; it is given to nobody but its owner.
TEST_F(StateFileTest, BelongsToAnOwner) {
  const std::string mine(kStateOwnerBytes, 'm'), yours(kStateOwnerBytes, 'y');
  std::vector<std::byte> bytes;
  uint64_t last_at = 1;
  const auto write = [&](uint64_t offset, std::span<const std::byte> part) -> base::Status {
    bytes.resize(std::max(bytes.size(), static_cast<size_t>(offset) + part.size()));
    std::ranges::copy(part, bytes.begin() + static_cast<ptrdiff_t>(offset));
    last_at = offset;
    return {};
  };
  const auto read = [&](uint64_t offset, std::span<std::byte> out) -> base::Status {
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  };
  ASSERT_TRUE(write_state(write, state_of(100), kKey, mine, tokens(100)).ok());
  EXPECT_EQ(last_at, 0u) << "what makes it a state has to come last";
  EXPECT_FALSE(write_state(write, state_of(100), kKey, "short", tokens(100)).ok());

  const auto head = read_state_head(read, bytes.size(), kKey);
  ASSERT_TRUE(head.ok()) << head.error().message;
  EXPECT_EQ(head->owner, mine);
  EXPECT_EQ(head->tokens, tokens(100));
  EXPECT_FALSE(read_state_head(read, bytes.size(), std::string(kStateKeyBytes, 'x')).ok());
  EXPECT_FALSE(read_state_head(read, bytes.size() - 1, kKey).ok());

  auto state = SequenceState::create(pools_).value();
  for (const std::string& other : {yours, std::string()})
    EXPECT_EQ(read_state(read, bytes.size(), kKey, other, state).error().code, base::ErrorCode::invalid_argument);
  EXPECT_EQ(state.length(), 0u);
  EXPECT_EQ(read_state(read, bytes.size(), kKey, mine, state).value(), tokens(100));

  // Another's name put over it.
  std::memcpy(bytes.data() + 20, yours.data(), yours.size());
  EXPECT_EQ(read_state_head(read, bytes.size(), kKey).error().code, base::ErrorCode::corrupt);
}

TEST_F(StateFileTest, WritesAllOrNothing) {
  const SequenceState state = state_of(100);
  EXPECT_FALSE(write_state_file(path_, state, kKey, tokens(99)).ok());
  EXPECT_FALSE(write_state_file("/nowhere/at/all", state, kKey, tokens(100)).ok());
  ASSERT_TRUE(write_state_file(path_, state, kKey, tokens(100)).ok());
  EXPECT_FALSE(write_state_file(path_, state, kKey, tokens(1)).ok());
  EXPECT_EQ(error_of(content()), base::ErrorCode::io_error) << "what was there is there still";
}

}  // namespace
}  // namespace ingle::core
