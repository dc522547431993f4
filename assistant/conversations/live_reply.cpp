#include "assistant/conversations/live_reply.h"

#include <utility>

namespace ingle::assistant {
namespace {

uint64_t utf16_units(std::string_view text) {
  uint64_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) units += byte >= 0xf0 ? 2 : 1;  // the first byte of a code point
  }
  return units;
}

}  // namespace

bool LiveReply::push(Part part, std::string_view text) {
  Delta delta{conversation_, message_, part, 0, std::string(text)};
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || deleted_ || finished_) return false;
    Text& to = part == Part::content ? content_ : reasoning_;
    delta.at = to.units;
    to.all += text;
    to.units += utf16_units(text);
  }
  if (!text.empty()) told_(delta);
  return true;
}

void LiveReply::finish(MessageState state, base::Json report, std::string error) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    state_ = stopped_ ? MessageState::stopped : state;
    report_ = std::move(report);
    error_ = stopped_ ? std::string() : std::move(error);
    on_stop_ = nullptr;
  }
  ended_();
}

void LiveReply::on_stop(std::function<void()> stop) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    if (!stopped_ && !deleted_) {
      on_stop_ = std::move(stop);
      return;
    }
  }
  stop();
}

void LiveReply::stop(bool is_deleted) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    deleted_ = deleted_ || is_deleted;
    call = std::exchange(on_stop_, nullptr);
  }
  if (call) call();
}

bool LiveReply::has_ended() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void LiveReply::resume(const Message& message) {
  const std::lock_guard lock(mutex_);
  content_ = {message.content, message.content.size(), utf16_units(message.content)};
  reasoning_ = {message.reasoning, message.reasoning.size(), utf16_units(message.reasoning)};
}

void LiveReply::show(Message& message) const {
  const std::lock_guard lock(mutex_);
  message.content = content_.all;
  message.reasoning = reasoning_.all;
  message.state = state_;
  message.report = report_;
  message.error = error_;
}

// A copy, so that nobody who pushes waits for the disk.
LiveReply::Unwritten LiveReply::unwritten() const {
  const std::lock_guard lock(mutex_);
  Unwritten out;
  out.content = content_.all.substr(finished_ ? 0 : content_.flushed);
  out.reasoning = reasoning_.all.substr(finished_ ? 0 : reasoning_.flushed);
  out.content_end = content_.all.size();
  out.reasoning_end = reasoning_.all.size();
  out.number = pieces_;
  out.finished = finished_;
  out.deleted = deleted_;
  out.unsynced = unsynced_;
  out.state = state_;
  out.report = report_;
  out.error = error_;
  return out;
}

void LiveReply::written(const Unwritten& piece, bool synced) {
  const std::lock_guard lock(mutex_);
  content_.flushed = piece.content_end;
  reasoning_.flushed = piece.reasoning_end;
  ++pieces_;
  unsynced_ = !synced;
}

}  // namespace ingle::assistant
