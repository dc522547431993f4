// What /v1/responses keeps, so that a conversation can go on from one and be looked at: in memory, for each principal
// apart, bounded in number, size and age. The oldest go first.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace ingle::server {

/// Items of a conversation, as the API has them: what went in with one request, or what came out.
struct ItemList {
  explicit ItemList(base::Json list);
  const base::Json items;
  const size_t bytes;  ///< as text
};
using Items = std::shared_ptr<const ItemList>;

struct StoredResponse {
  base::Json response;         ///< as clients get it
  Items input;                 ///< what came with its request
  std::vector<Items> history;  ///< the whole conversation up to its end, shared with the responses before it
};

struct ResponseLimits {
  size_t per_principal = 512, all = 2048;
  /// Of JSON as text, where each response counts with its whole conversation.
  size_t bytes_per_principal = size_t{16} << 20, bytes = size_t{64} << 20;
  std::chrono::seconds age{24 * 3600};
};

/// All from any thread.
class ResponseStore {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit ResponseStore(const ResponseLimits& limits = {}, Clock clock = std::chrono::steady_clock::now);

  /// Keeps it by its "id". False: it alone takes more than a principal may have.
  bool put(const std::string& principal, StoredResponse stored);
  /// Nothing: there is none, or it is somebody else's, or it had to go.
  std::optional<StoredResponse> find(const std::string& principal, const std::string& id);
  /// False as find() has nothing. What came after it keeps what it needs.
  bool remove(const std::string& principal, const std::string& id);
  /// Drops all that is a principal's, who does not come again: what is put later is not kept.
  void forget(const std::string& principal);

 private:
  struct Entry {
    std::string principal, id;
    StoredResponse stored;
    size_t bytes = 0;
    std::chrono::steady_clock::time_point time;
  };
  using Entries = std::deque<Entry>;

  Entries::iterator locate(const std::string& principal, const std::string& id);
  void drop_old();
  void keep_limits(const std::string& principal);

  const ResponseLimits limits_;
  const Clock clock_;
  mutable std::mutex mutex_;
  Entries entries_;             ///< guarded by mutex_; the oldest first
  std::set<std::string> gone_;  ///< principals; guarded by mutex_
};

}  // namespace ingle::server
