#include "server/app/event_streams.h"

#include <utility>

#include "server/api/answer.h"
#include "server/app/json.h"

namespace ingle::server {
namespace {

using assistant::Change;
using base::Json;
using base::Status;

Json event_of(const Change& change) {
  switch (change.kind) {
    case Change::Kind::conversation:
      return {{"type", "conversation"}, {"conversation", to_json(change.conversation)}};
    case Change::Kind::deleted:
      return {{"type", "deleted"}, {"id", change.id}};
    case Change::Kind::folders:
      return {{"type", "folders"}};
    case Change::Kind::presets:
      return {{"type", "presets"}};
    case Change::Kind::trouble:
      return {{"type", "trouble"}, {"message", change.text.empty() ? Json() : Json(change.text)}};
    case Change::Kind::delta: {
      const assistant::LiveReply::Delta& delta = change.delta;
      const bool content = delta.part == assistant::LiveReply::Part::content;
      return {{"type", "delta"},          {"conversation", delta.conversation},
              {"message", delta.message}, {"part", content ? "content" : "reasoning"},
              {"at", delta.at},           {"text", delta.text}};
    }
    case Change::Kind::reset:
      break;
  }
  return {{"type", "reset"}};
}

}  // namespace

Status EventStreams::open(const std::shared_ptr<Exchange>& exchange, HttpResponse head) {
  const std::lock_guard opening(opening_);
  if (listening_.empty()) INGLE_CHECK(subscribe());
  head.body = sse({{"type", "hello"}, {"changed", changed_}, {"version", INGLE_VERSION}});
  {
    const std::lock_guard lock(mutex_);
    exchange->begin(std::move(head), ": ping\n\n");
    if (closed_) {
      exchange->end();
      return {};
    }
    streams_.push_back(exchange);
  }
  exchange->on_gone([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self)
      self->soon_([weak] {
        if (const auto then = weak.lock()) then->prune();
      });
  });
  return {};
}

// With opening_.
Status EventStreams::subscribe() {
  for (assistant::ConversationStore* store : {&conversations_.kept(), &conversations_.temporary()}) {
    uint64_t id = 0;
    auto since = store->subscribe(id, [this](const Change& change) { tell(change); });
    if (!since) {
      unsubscribe();
      return since.error();
    }
    if (listening_.empty()) changed_ = *since;
    listening_.push_back(id);
  }
  return {};
}

// With opening_, and without mutex_: tell() takes it.
void EventStreams::unsubscribe() {
  if (!listening_.empty()) conversations_.kept().unsubscribe(listening_[0]);
  if (listening_.size() > 1) conversations_.temporary().unsubscribe(listening_[1]);
  listening_.clear();
}

void EventStreams::tell(const Change& change) {
  publish(event_of(change));
}

void EventStreams::publish(const Json& event) {
  const std::string text = sse(event);
  // Where a reader is too slow, write() calls what on_gone() was given, which comes back only later.
  const std::lock_guard lock(mutex_);
  for (const auto& stream : streams_) stream->write(text);
}

void EventStreams::prune() {
  const std::lock_guard opening(opening_);
  bool none = false;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(streams_, [](const auto& stream) { return stream->is_gone(); });
    none = streams_.empty();
  }
  if (none) unsubscribe();
}

void EventStreams::close() {
  const std::lock_guard opening(opening_);
  std::vector<std::shared_ptr<Exchange>> streams;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    streams = std::exchange(streams_, {});
  }
  for (const auto& stream : streams) stream->end();
  unsubscribe();
}

}  // namespace ingle::server
