// What a device keeps of sequences, in pages: PagePool hands pages out and counts who uses them; SequenceState is one
// sequence's. Sequences that were forked share pages until one of them writes (copy on write); of layers with a window,
// a sequence keeps the pages that the window reaches and a few behind it.
//
//   StatePools pools(device, {.windows = program.windows, .max_rows = 512, .max_positions = 4096});
//   SequenceState state = SequenceState::create(pools).value();
//   state.extend(rows);                          // pages for the next positions, which nobody else sees
//   device.run({… {rows, state.length(), state.pages()} …});
//   state.append(rows);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "core/hal/device.h"

namespace ingle::core {

/// Pages of one size. They lie in one region for as many sequences as were planned for at a time.
class PagePool {
 public:
  PagePool(Device& device, uint64_t page_bytes) : device_(device), page_bytes_(page_bytes) {}
  ~PagePool();
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /// Room for that many pages in all; memory is committed as pages are written. Error: out_of_memory.
  base::Status reserve(size_t pages);
  size_t capacity() const { return users_.size(); }
  size_t used() const { return users_.size() - free_.size(); }
  uint64_t page_bytes() const { return page_bytes_; }

  /// A page for one user, of what contents it may be. Some are free as long as no more are taken than were reserved.
  uint32_t take();
  void share(uint32_t page) { ++users_[page]; }
  /// One user less. The last one gives the page back, and with `discard` its memory.
  void release(uint32_t page, bool discard);
  bool is_shared(uint32_t page) const { return users_[page] > 1; }
  uint32_t users(uint32_t page) const { return users_[page]; }
  std::byte* data(uint32_t page) const { return data_[page]; }

 private:
  struct Region {
    std::byte* data;
    uint64_t bytes;
  };
  Device& device_;
  const uint64_t page_bytes_;
  std::vector<Region> regions_;
  std::vector<std::byte*> data_;  ///< by page
  std::vector<uint32_t> users_;   ///< by page
  std::vector<uint32_t> free_;    ///< the next one last
};

/// How far a sequence can always be truncated, in positions, though a window has moved on.
inline constexpr uint32_t kRewindPositions = 128;

struct StateOptions {
  std::vector<uint32_t> windows;  ///< Program::windows
  uint32_t max_rows = 512;        ///< positions that one extend() adds at most
  uint32_t max_positions = 512;

  /// The most pages of a group that a sequence of `positions` has.
  uint32_t pages(size_t group, uint32_t positions) const;
  /// What it takes where pages have those sizes, by group: its pages and the tables of all positions' pages.
  uint64_t bytes(std::span<const uint64_t> page_bytes, uint32_t positions) const;
};

/// The pools of a device's sequences, one per state group.
class StatePools {
 public:
  StatePools(Device& device, StateOptions options);

  Device& device() { return device_; }
  const StateOptions& options() const { return options_; }
  size_t groups() const { return pools_.size(); }
  PagePool& pool(size_t group) { return *pools_[group]; }
  /// What a sequence of that many positions takes.
  uint64_t sequence_bytes(uint32_t positions) const { return options_.bytes(page_bytes_, positions); }

 private:
  friend class SequenceState;
  base::Status add_sequence();
  void remove_sequence() { --sequences_; }

  Device& device_;
  const StateOptions options_;
  std::vector<uint64_t> page_bytes_;
  std::vector<std::unique_ptr<PagePool>> pools_;
  uint32_t sequences_ = 0;
};

class SequenceState {
 public:
  /// An empty one; there is memory for all of its positions then. Error: out_of_memory.
  static base::Result<SequenceState> create(StatePools& pools);
  /// One with the same contents, which shares their pages. Error: out_of_memory.
  base::Result<SequenceState> fork() const;
  /// Gives up what it has and shares the pages of another, of the same pools. Allocates nothing.
  void become(const SequenceState& other);

  SequenceState(SequenceState&& other) noexcept : pools_(other.pools_) { swap(other); }
  SequenceState& operator=(SequenceState&& other) noexcept {
    swap(other);
    return *this;
  }
  SequenceState(const SequenceState&) = delete;
  SequenceState& operator=(const SequenceState&) = delete;
  ~SequenceState();

  uint32_t length() const { return length_; }
  uint32_t capacity() const { return pools_->options().max_positions; }

  /// Pages for `rows` more positions (at most StateOptions::max_rows, and within the capacity); those that the windows
  /// have left behind go. Allocates nothing.
  void extend(uint32_t rows);
  /// What extend() made room for was written.
  void append(uint32_t rows) { length_ += rows; }
  /// Keeps the first `length` positions, or none where a window of theirs was left behind too long ago. Returns how
  /// many are kept.
  uint32_t truncate(uint32_t length);

  /// By state group, for SequenceRows.
  std::span<const PageTable> pages() const { return tables_; }
  /// The pages of a group that are there: from the first to before the end.
  uint32_t first_page(size_t group) const { return groups_[group].first; }
  uint32_t end_page(size_t group) const { return groups_[group].end; }
  StatePools& pools() const { return *pools_; }
  /// Empty pages for `length` positions of which a group's pages begin at first_pages[group], to be filled from a saved
  /// state. False: these are not what a sequence of that length has. The state must be empty.
  bool fill(uint32_t length, std::span<const uint32_t> first_pages);

 private:
  static constexpr uint32_t kNoPage = ~uint32_t{0};
  struct Group {
    std::vector<uint32_t> pages;  ///< by position / kPagePositions
    std::vector<std::byte*> data;
    uint32_t first = 0, end = 0;  ///< the pages that are there
  };

  explicit SequenceState(StatePools& pools);
  void swap(SequenceState& other) noexcept;
  void drop_all(bool discard);
  void take(size_t group, uint32_t page);
  void drop(size_t group, uint32_t page, bool discard);
  /// The first page that a sequence of `length` positions needs to go on.
  uint32_t first_needed(size_t group, uint32_t length) const;

  StatePools* pools_;
  std::vector<Group> groups_;
  std::vector<PageTable> tables_;  ///< of groups_, as devices take them
  uint32_t length_ = 0;
};

}  // namespace ingle::core
