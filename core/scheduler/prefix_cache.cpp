#include "core/scheduler/prefix_cache.h"

#include <algorithm>
#include <utility>

namespace ingle::core {
namespace {

size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(most), b.begin()).first -
                             a.begin());
}

}  // namespace

std::unique_ptr<Sequence> PrefixCache::take(std::string_view principal, std::span<const TokenId> tokens) {
  if (tokens.empty()) return nullptr;
  const std::span<const TokenId> wanted = tokens.first(tokens.size() - 1);  // the last one's logits are to be computed
  std::vector<std::pair<size_t, Entry*>> found;
  for (Entry& entry : entries_) {
    const size_t common = entry.principal == principal ? common_prefix(entry.tokens, wanted) : 0;
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

void PrefixCache::keep(std::string_view principal, std::span<const TokenId> tokens,
                       std::unique_ptr<Sequence> sequence) {
  if (tokens.size() < kWorthIt || most_entries_ == 0) return;
  std::erase_if(entries_, [&](const Entry& entry) {
    if (entry.principal != principal) return false;
    const size_t common = common_prefix(entry.tokens, tokens);
    return common == entry.tokens.size() && (!windowed_ || common == tokens.size());
  });
  while (entries_.size() >= most_entries_) evict();
  entries_.push_back({std::string(principal), {tokens.begin(), tokens.end()}, std::move(sequence), ++now_});
}

bool PrefixCache::evict() {
  const auto oldest = std::ranges::min_element(entries_, {}, &Entry::used);
  if (oldest == entries_.end()) return false;
  entries_.erase(oldest);
  return true;
}

void PrefixCache::forget(std::string_view principal) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.principal == principal; });
}

}  // namespace ingle::core
