#include "server/app/retention.h"

#include <chrono>

#include "assistant/conversations/retention.h"

namespace ingle::server {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::system_clock;

namespace {

// A device that sleeps does not count those hours, so the clock on the wall is looked at more often than it matters.
constexpr auto kLook = std::chrono::minutes(30);
constexpr auto kEach = std::chrono::hours(24);

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

Retention::~Retention() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Retention::begin() {
  thread_ = std::thread([this] { watch(); });
}

void Retention::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    (void)apply();  // what does not work now is tried again tomorrow
    const auto done = system_clock::now();
    lock.lock();
    const auto is_due = [&] { return system_clock::now() >= done + kEach || system_clock::now() < done; };
    while (!ending_ && !is_due()) wake_.wait_for(lock, kLook);
  }
}

Result<Retention::Rule> Retention::rule() {
  if (fixed_) return Rule{*fixed_, true};
  INGLE_TRY(const int64_t days, conversations_.kept().keep_days());
  return Rule{days, false};
}

Result<std::vector<assistant::Conversation>> Retention::too_old(int64_t days) {
  return conversations_.kept().untouched_since(assistant::too_old_before(days, now_ms()));
}

Result<int64_t> Retention::set_rule(int64_t days) {
  if (fixed_)
    return Error{ErrorCode::permission_denied,
                 "how long conversations are kept was decided where the server was started (keep-conversations)"};
  INGLE_CHECK(conversations_.kept().set_keep_days(days));
  return apply();
}

Result<int64_t> Retention::apply() {
  INGLE_TRY(const Rule now, rule());
  INGLE_TRY(const int64_t count, conversations_.kept().remove_before(assistant::too_old_before(now.days, now_ms())));
  if (count > 0) deleted_(count);
  return count;
}

}  // namespace ingle::server
