#include "core/scheduler/prefix_cache.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/scheduler/common_prefix.h"

namespace ingle::core {

std::unique_ptr<Sequence> PrefixCache::take(std::string_view owner, std::span<const TokenId> tokens) {
  if (tokens.empty()) return nullptr;
  const std::span<const TokenId> wanted = tokens.first(tokens.size() - 1);  // the last one's logits are to be computed
  std::vector<std::pair<size_t, Entry*>> found;
  for (Entry& entry : entries_) {
    const size_t common = entry.owner == owner ? common_prefix(entry.tokens, wanted) : 0;
    if (common >= kWorthIt) found.emplace_back(common, &entry);
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->used > b.second->used;
  });
  for (const auto& [common, entry] : found) {
    auto fork = entry->sequence->fork();
    if (!fork) return nullptr;  // no memory for its tables; what follows needs as much
    // A window may have moved on too far: then a shorter one may do.
    if ((*fork)->truncate(static_cast<uint32_t>(common)) < kWorthIt) continue;
    entry->used = ++now_;
    return std::move(fork).value();
  }
  return nullptr;
}

size_t PrefixCache::longest(std::string_view owner, std::span<const TokenId> tokens) const {
  size_t longest = 0;
  for (const Entry& entry : entries_)
    if (entry.owner == owner) longest = std::max(longest, common_prefix(entry.tokens, tokens));
  return longest;
}

void PrefixCache::keep(std::string_view owner, std::span<const TokenId> tokens, std::unique_ptr<Sequence> sequence,
                       bool on_disk) {
  if (tokens.size() < kWorthIt || most_entries_ == 0) return;
  std::erase_if(entries_, [&](const Entry& entry) {
    if (entry.owner != owner) return false;
    const size_t common = common_prefix(entry.tokens, tokens);
    return common == entry.tokens.size() && (!windowed_ || common == tokens.size());
  });
  while (entries_.size() >= most_entries_) evict();
  entries_.push_back({std::string(owner), {tokens.begin(), tokens.end()}, std::move(sequence), ++now_, on_disk});
}

const PrefixCache::Entry* PrefixCache::next_to_save(size_t latest, size_t tokens) {
  std::vector<Entry*> entries;
  for (Entry& entry : entries_)
    if (entry.tokens.size() >= tokens) entries.push_back(&entry);
  std::ranges::sort(entries, std::ranges::greater(), &Entry::used);
  entries.resize(std::min(entries.size(), latest));
  const auto found = std::find_if(entries.rbegin(), entries.rend(), [](const Entry* entry) { return !entry->on_disk; });
  if (found == entries.rend()) return nullptr;
  (*found)->on_disk = true;
  return *found;
}

bool PrefixCache::evict() {
  const auto oldest = std::ranges::min_element(entries_, {}, &Entry::used);
  if (oldest == entries_.end()) return false;
  entries_.erase(oldest);
  return true;
}

void PrefixCache::forget(std::string_view owner) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.owner == owner; });
}

}  // namespace ingle::core
