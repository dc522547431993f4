#include "server/http/exchange.h"

namespace ingle::server {

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

void Exchange::respond(HttpResponse response) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_) return;
    begun_ = ended_ = true;
    waiting_ = std::exchange(response.body, {});
    head_ = std::move(response);
  }
  wake_();
}

void Exchange::begin(HttpResponse response, std::string ping) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_) return;
    begun_ = streamed_ = true;
    waiting_ = std::exchange(response.body, {});
    head_ = std::move(response);
    ping_ = std::move(ping);
  }
  wake_();
}

bool Exchange::write(std::string_view piece) {
  bool too_slow = false;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || ended_) return false;
    too_slow = waiting_.size() + piece.size() > most_waiting_;
    if (!too_slow) waiting_ += piece;
  }
  if (too_slow) gone();
  wake_();
  return !too_slow;
}

void Exchange::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_();
}

bool Exchange::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

void Exchange::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (sent_) return;
    if (!gone_) {
      on_gone_ = std::move(callback);
      return;
    }
  }
  callback();
}

Exchange::Outgoing Exchange::take() {
  const std::lock_guard lock(mutex_);
  Outgoing out;
  out.head = std::exchange(head_, std::nullopt);
  out.streamed = streamed_;
  out.ended = ended_;
  out.body = std::exchange(waiting_, {});
  out.ping = ping_;
  return out;
}

void Exchange::gone() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (gone_) return;
    gone_ = true;
    callback = std::exchange(on_gone_, {});
  }
  if (callback) callback();
}

// Who waits for it holds the exchange, as a rule: without this neither would ever go.
void Exchange::sent() {
  std::function<void()> callback;
  const std::lock_guard lock(mutex_);
  sent_ = true;
  callback = std::exchange(on_gone_, {});
}

bool Exchange::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

}  // namespace ingle::server
