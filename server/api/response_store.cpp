#include "server/api/response_store.h"

#include <algorithm>
#include <utility>

#include "server/api/errors.h"

namespace ingle::server {
namespace {

size_t bytes_of(const StoredResponse& stored) {
  size_t bytes = to_text(stored.response).size();
  for (const Items& items : stored.history) bytes += items->bytes;
  return bytes;
}

}  // namespace

ItemList::ItemList(base::Json list) : items(std::move(list)), bytes(to_text(items).size()) {}

ResponseStore::ResponseStore(const ResponseLimits& limits, Clock clock) : limits_(limits), clock_(std::move(clock)) {}

bool ResponseStore::put(const std::string& principal, StoredResponse stored) {
  const size_t bytes = bytes_of(stored);
  if (bytes > limits_.bytes_per_principal) return false;
  std::string id = stored.response.at("id").get<std::string>();
  const std::lock_guard lock(mutex_);
  if (gone_.contains(principal)) return false;
  drop_old();
  entries_.push_back({principal, std::move(id), std::move(stored), bytes, clock_()});
  keep_limits(principal);
  return true;
}

std::optional<StoredResponse> ResponseStore::find(const std::string& principal, const std::string& id) {
  const std::lock_guard lock(mutex_);
  drop_old();
  const auto found = locate(principal, id);
  return found == entries_.end() ? std::nullopt : std::optional(found->stored);
}

bool ResponseStore::remove(const std::string& principal, const std::string& id) {
  const std::lock_guard lock(mutex_);
  drop_old();
  const auto found = locate(principal, id);
  if (found == entries_.end()) return false;
  entries_.erase(found);
  return true;
}

void ResponseStore::forget(const std::string& principal) {
  const std::lock_guard lock(mutex_);
  gone_.insert(principal);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.principal == principal; });
}

ResponseStore::Entries::iterator ResponseStore::locate(const std::string& principal, const std::string& id) {
  return std::ranges::find_if(entries_,
                              [&](const Entry& entry) { return entry.principal == principal && entry.id == id; });
}

void ResponseStore::drop_old() {
  const auto oldest = clock_() - limits_.age;
  while (!entries_.empty() && entries_.front().time < oldest) entries_.pop_front();
}

void ResponseStore::keep_limits(const std::string& principal) {
  const auto keep = [&](size_t most, size_t most_bytes, const auto& counts) {
    size_t number = 0, bytes = 0;
    for (const Entry& entry : entries_)
      if (counts(entry)) ++number, bytes += entry.bytes;
    for (auto entry = entries_.begin(); number > most || bytes > most_bytes;) {
      if (!counts(*entry)) {
        ++entry;
        continue;
      }
      --number, bytes -= entry->bytes;
      entry = entries_.erase(entry);
    }
  };
  keep(limits_.per_principal, limits_.bytes_per_principal,
       [&](const Entry& entry) { return entry.principal == principal; });
  keep(limits_.all, limits_.bytes, [](const Entry&) { return true; });
}

}  // namespace ingle::server
