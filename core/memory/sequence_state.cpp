#include "core/memory/sequence_state.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ingle::core {
namespace {

uint32_t pages_for(uint32_t positions) {
  return static_cast<uint32_t>((uint64_t{positions} + kPagePositions - 1) / kPagePositions);
}

}  // namespace

PagePool::~PagePool() {
  for (const Region& region : regions_) device_.deallocate(region.data, region.bytes);
}

base::Status PagePool::reserve(size_t pages) {
  if (pages <= capacity()) return {};
  const size_t before = capacity(), more = pages - before;
  Region region{nullptr, more * page_bytes_};
  INGLE_TRY(region.data, device_.allocate(region.bytes));
  regions_.push_back(region);
  users_.resize(pages, 0);
  data_.resize(pages);
  free_.reserve(pages);
  for (size_t i = 0; i < more; ++i) data_[before + i] = region.data + i * page_bytes_;
  // Those at the region's start are taken first. Behind what was free before: that may have memory already.
  for (size_t i = more; i-- > 0;) free_.push_back(static_cast<uint32_t>(before + i));
  std::rotate(free_.begin(), free_.end() - static_cast<ptrdiff_t>(more), free_.end());
  return {};
}

uint32_t PagePool::take() {
  assert(!free_.empty());
  const uint32_t page = free_.back();
  free_.pop_back();
  users_[page] = 1;
  return page;
}

void PagePool::release(uint32_t page, bool discard) {
  if (--users_[page] != 0) return;
  if (discard) device_.discard(data_[page], page_bytes_);
  free_.push_back(page);
}

StatePools::StatePools(Device& device, StateOptions options) : device_(device), options_(std::move(options)) {
  for (uint32_t group = 0; group < options_.windows.size(); ++group) {
    page_bytes_.push_back(device.state_page_bytes(group));
    pools_.push_back(std::make_unique<PagePool>(device, page_bytes_.back()));
  }
}

uint32_t StateOptions::pages(size_t group, uint32_t positions) const {
  const uint32_t all = pages_for(positions), window = windows[group];
  if (window == 0) return all;
  // Either end may only touch a page.
  const uint64_t kept = uint64_t{window} + kRewindPositions + max_rows;
  return static_cast<uint32_t>(std::min<uint64_t>(all, kept / kPagePositions + 2));
}

uint64_t StateOptions::bytes(std::span<const uint64_t> page_bytes, uint32_t positions) const {
  uint64_t bytes = 0;
  for (size_t group = 0; group < page_bytes.size(); ++group)
    bytes += page_bytes[group] * pages(group, positions) +
             uint64_t{pages_for(positions)} * (sizeof(uint32_t) + sizeof(std::byte*));
  return bytes;
}

base::Status StatePools::add_sequence() {
  const size_t sequences = size_t{sequences_} + 1;
  for (size_t group = 0; group < groups(); ++group)
    INGLE_CHECK(pools_[group]->reserve(sequences * options_.pages(group, options_.max_positions)));
  ++sequences_;
  return {};
}

SequenceState::SequenceState(StatePools& pools) : pools_(&pools), groups_(pools.groups()) {
  for (Group& group : groups_) {
    group.pages.assign(pages_for(capacity()), kNoPage);
    group.data.assign(group.pages.size(), nullptr);
    tables_.push_back(group.data.data());
  }
}

base::Result<SequenceState> SequenceState::create(StatePools& pools) {
  INGLE_CHECK(pools.add_sequence());
  return SequenceState(pools);
}

base::Result<SequenceState> SequenceState::fork() const {
  INGLE_TRY(SequenceState copy, create(*pools_));
  copy.become(*this);
  return copy;
}

void SequenceState::become(const SequenceState& other) {
  drop_all(false);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& from = other.groups_[g];
    Group& to = groups_[g];
    for (uint32_t page = from.first; page < from.end; ++page) pools_->pool(g).share(from.pages[page]);
    std::copy(from.pages.begin(), from.pages.end(), to.pages.begin());
    std::copy(from.data.begin(), from.data.end(), to.data.begin());
    to.first = from.first;
    to.end = from.end;
  }
  length_ = other.length_;
}

SequenceState::~SequenceState() {
  if (groups_.empty()) return;  // moved from
  drop_all(true);
  pools_->remove_sequence();
}

void SequenceState::drop_all(bool discard) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    for (; group.end > group.first; --group.end) drop(g, group.end - 1, discard);
    group.first = group.end = 0;
  }
  length_ = 0;
}

void SequenceState::swap(SequenceState& other) noexcept {
  std::swap(pools_, other.pools_);
  std::swap(groups_, other.groups_);
  std::swap(tables_, other.tables_);
  std::swap(length_, other.length_);
}

void SequenceState::take(size_t group, uint32_t page) {
  PagePool& pool = pools_->pool(group);
  groups_[group].pages[page] = pool.take();
  groups_[group].data[page] = pool.data(groups_[group].pages[page]);
}

void SequenceState::drop(size_t group, uint32_t page, bool discard) {
  pools_->pool(group).release(groups_[group].pages[page], discard);
  groups_[group].pages[page] = kNoPage;
  groups_[group].data[page] = nullptr;
}

uint32_t SequenceState::first_needed(size_t group, uint32_t length) const {
  return first_seen(pools_->options().windows[group], length) / kPagePositions;  // `length` is the next position
}

void SequenceState::extend(uint32_t rows) {
  const uint32_t length = length_ + rows;
  assert(length <= capacity());
  const uint32_t rewound = length_ - std::min(length_, kRewindPositions);
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    for (const uint32_t first = std::min(first_needed(g, rewound), group.end); group.first < first; ++group.first)
      drop(g, group.first, false);
    // The page that was begun is written on: not to others' copy.
    if (const uint32_t page = length_ / kPagePositions; page < group.end) {
      PagePool& pool = pools_->pool(g);
      if (const uint32_t shared = group.pages[page]; pool.is_shared(shared)) {
        take(g, page);
        pools_->device().copy(group.data[page], pool.data(shared), pool.page_bytes());
        pool.release(shared, false);
      }
    }
    for (; group.end < pages_for(length); ++group.end) take(g, group.end);
  }
}

uint32_t SequenceState::truncate(uint32_t length) {
  length = std::min(length, length_);
  for (size_t g = 0; g < groups_.size(); ++g)
    if (first_needed(g, length) < groups_[g].first) length = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const uint32_t end = pages_for(length);
    while (group.end > std::max(end, group.first)) drop(g, --group.end, false);
    if (end == 0) group.first = group.end = 0;
  }
  length_ = length;
  return length;
}

bool SequenceState::fill(uint32_t length, std::span<const uint32_t> first_pages) {
  assert(length_ == 0);
  if (length > capacity() || first_pages.size() != groups_.size()) return false;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const uint32_t needed = first_needed(g, length), first = first_pages[g];
    if (first > needed || first > pages_for(length)) return false;
    if (pages_for(length) - first > pools_->options().pages(g, length)) return false;
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    group.first = first_pages[g];
    for (group.end = group.first; group.end < pages_for(length); ++group.end) take(g, group.end);
  }
  length_ = length;
  return true;
}

}  // namespace ingle::core
