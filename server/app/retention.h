// Deletes conversations that are older than the person wants to keep them: when the server starts, and once a day.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "assistant/conversations/conversations.h"

namespace ingle::server {

/// For any thread.
class Retention {
 public:
  /// `fixed`: days that whoever started the server has decided on; else what is set in the app holds. `deleted` is told
  /// how many went, where any did. The conversations outlive it.
  Retention(assistant::Conversations& conversations, std::optional<int64_t> fixed,
            std::function<void(int64_t count)> deleted)
      : conversations_(conversations), fixed_(fixed), deleted_(std::move(deleted)) {}
  ~Retention();

  /// Applies the rule now and from now on.
  void begin();

  struct Rule {
    int64_t days = 0;       ///< assistant::kForever, or how many
    bool is_fixed = false;  ///< the app can't change it
  };
  base::Result<Rule> rule();
  /// What would go with that rule now.
  base::Result<std::vector<assistant::Conversation>> too_old(int64_t days);
  /// From now on that holds; how many went at once. Errors: permission_denied (it is fixed), invalid_argument.
  base::Result<int64_t> set_rule(int64_t days);

 private:
  base::Result<int64_t> apply();
  void watch();

  assistant::Conversations& conversations_;
  const std::optional<int64_t> fixed_;
  const std::function<void(int64_t)> deleted_;
  std::mutex mutex_;  ///< of ending_
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace ingle::server
