// Tells open pages what changes in the conversations, as server-sent events.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "assistant/conversations/conversations.h"
#include "server/http/exchange.h"

namespace ingle::server {

/// For any thread.
class EventStreams : public std::enable_shared_from_this<EventStreams> {
 public:
  /// `soon` runs what takes moments. The conversations outlive it.
  EventStreams(assistant::Conversations& conversations, std::function<void(std::function<void()>)> soon)
      : conversations_(conversations), soon_(std::move(soon)) {}
  ~EventStreams() { close(); }

  /// Answers with a stream that ends when its reader goes, or with close(). Error: as ConversationStore::subscribe.
  base::Status open(const std::shared_ptr<Exchange>& exchange, HttpResponse head);
  /// Tells all pages.
  void publish(const base::Json& event);
  /// Ends all streams, and those that are opened later.
  void close();

 private:
  void tell(const assistant::Change& change);
  void prune();
  base::Status subscribe();
  void unsubscribe();

  assistant::Conversations& conversations_;
  const std::function<void(std::function<void()>)> soon_;
  std::mutex opening_;               ///< of the subscriptions
  std::vector<uint64_t> listening_;  ///< of kept and temporary ones; empty: nobody looks
  int64_t changed_ = 0;              ///< when they began
  std::mutex mutex_;                 ///< of all below; taken after opening_
  std::vector<std::shared_ptr<Exchange>> streams_;
  bool closed_ = false;
};

}  // namespace ingle::server
