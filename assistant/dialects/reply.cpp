#include "assistant/dialects/reply.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "assistant/dialects/call_events.h"

namespace ingle::assistant {
namespace {

constexpr std::string_view white = " \t\r\n";

bool starts_with_part(std::string_view text, std::string_view marker) {
  return text.size() < marker.size() && marker.starts_with(text);
}

/// Where `marker` starts in `text`, or where a part of it that ends the text does, or the text's size.
size_t find_or_part(std::string_view text, std::string_view marker) {
  if (const size_t at = text.find(marker); at != text.npos) return at;
  const size_t first = text.size() < marker.size() ? 0 : text.size() - marker.size() + 1;
  for (size_t at = first; at < text.size(); ++at) {
    if (marker.starts_with(text.substr(at))) return at;
  }
  return text.size();
}

}  // namespace

/// Works through pending_ step by step. A step decides by the first bytes that are there, and waits where another byte
/// could change its decision.
class ReplyParser::Impl {
 public:
  Impl(const Dialect& dialect, Tools tools, const ReplyOptions& options)
      : dialect_(&dialect), tools_(std::move(tools)), events_(tools_, options.stream_arguments, dialect.trimmed) {
    if (options.starts_in_reasoning && !dialect.reasoning.empty()) start_reasoning(dialect.reasoning.front());
  }

  std::vector<Delta> push(std::string_view text) {
    if (ended_) return {};
    pending_ += text;
    run();
    return events_.take();
  }

  std::vector<Delta> finish() {
    if (ended_) return {};
    ended_ = true;
    run();
    if (state_ == State::calls) events_.cut();
    events_.finish(state_ == State::reasoning || dialect_->trims_end);
    return events_.take();
  }

 private:
  enum class State { text, reasoning, calls, after_calls };

  void run() {
    at_ = 0;
    while (step()) {
    }
    pending_.erase(0, at_);
  }

  std::string_view rest() const { return std::string_view(pending_).substr(at_); }

  /// False where there is nothing to do before more text comes.
  bool step() {
    switch (state_) {
      case State::text:
        return step_text();
      case State::reasoning:
        return step_reasoning();
      case State::calls:
        return step_calls();
      case State::after_calls:
        return step_after_calls();
    }
    return false;
  }

  void start_reasoning(const Reasoning& marks) {
    reasoning_ = &marks;
    events_.start_reasoning();
    state_ = State::reasoning;
  }

  bool step_reasoning() {
    const std::string_view text = rest();
    const size_t end = find_or_part(text, reasoning_->close);
    const bool closed = text.substr(end).starts_with(reasoning_->close);
    const size_t size = closed || !ended_ ? end : text.size();
    events_.reasoning(text.substr(0, size));
    at_ += size;
    if (!closed) return false;
    at_ += reasoning_->close.size();
    events_.end_reasoning();
    state_ = State::text;
    return true;
  }

  bool step_text() {
    const std::string_view text = rest();
    if (text.empty()) return false;
    const size_t space = std::min(text.find_first_not_of(white), text.size());
    if (space > 0) {
      events_.space(text.substr(0, space));
      at_ += space;
      return true;
    }
    const Reasoning* reasoning = nullptr;
    const Opener* opener = nullptr;
    size_t longest = 0;
    bool wait = false;
    const auto matches = [&](std::string_view marker, bool here) {
      if (!here || marker.empty()) return false;
      wait = wait || (!ended_ && starts_with_part(text, marker));
      if (!text.starts_with(marker) || marker.size() <= longest) return false;
      longest = marker.size();
      return true;
    };
    const bool start = !events_.has_content();
    for (const Reasoning& marks : dialect_->reasoning) {
      if (matches(marks.open, marks.anywhere || (start && !events_.has_calls()))) reasoning = &marks;
    }
    for (const Opener& one : dialect_->openers) {
      if (!matches(one.marker, !tools_.empty() && (start || !one.at_start))) continue;
      opener = &one;
      reasoning = nullptr;
    }
    if (wait) return false;
    if (opener) {
      start_calls(*opener, text.substr(0, opener->marker.size()), opener->kept);
    } else if (reasoning) {
      at_ += reasoning->open.size();
      start_reasoning(*reasoning);
    } else {
      const size_t size = plain_run(text);
      events_.content(text.substr(0, size));
      at_ += size;
    }
    return true;
  }

  /// How many bytes from the first one on can't start a marker: at least that one.
  size_t plain_run(std::string_view text) const {
    size_t size = 1;
    while (size < text.size() && !is_space(text[size]) && !may_start_marker(text[size])) ++size;
    return size;
  }

  bool may_start_marker(char c) const {
    const auto starts = [c](std::string_view marker) { return marker.starts_with(c); };
    return std::ranges::any_of(dialect_->reasoning, starts, &Reasoning::open) ||
           std::ranges::any_of(dialect_->openers, starts, &Opener::marker);
  }

  void start_calls(const Opener& opener, std::string_view marker, size_t kept) {
    opener_ = &opener;
    reader_ = opener.reader(tools_);
    marker.remove_suffix(kept);
    events_.start_calls(marker, kept == opener.marker.size());
    at_ += marker.size();
    state_ = State::calls;
  }

  bool step_calls() {
    while (at_ < pending_.size()) {
      events_.see(pending_[at_]);
      const Take result = reader_->take(pending_[at_], events_);
      events_.seen(result == Take::more || result == Take::done);
      if (result == Take::fail) {
        events_.fail();
        state_ = State::text;
        return true;
      }
      if (result != Take::unread) ++at_;
      if (result == Take::more) continue;
      state_ = State::after_calls;
      return true;
    }
    return false;
  }

  /// Drops the closing mark, or goes on with more calls, or leaves what comes to be read as text.
  bool step_after_calls() {
    const std::string_view text = rest();
    size_t next = std::min(text.find_first_not_of(white), text.size());
    if (next == text.size() && !ended_) return false;
    const std::string_view closer = opener_->closer;
    if (!closer.empty() && text.substr(next).starts_with(closer)) {
      end_calls(next + closer.size());
      return true;
    }
    // Of a reply that ended inside the mark, the part is no text.
    const bool part = next < text.size() && starts_with_part(text.substr(next), closer);
    if (part && !ended_) return false;
    if (part) {
      end_calls(text.size());
      return true;
    }
    if (next < text.size() && opener_->between.find(text[next]) != text.npos) {
      next = std::min(text.find_first_not_of(white, next + 1), text.size());
      if (next == text.size() && !ended_) return false;
    }
    if (next < text.size() && opener_->again.find(text[next]) != text.npos) {
      const Opener& opener = *opener_;
      events_.end_calls({});
      start_calls(opener, text.substr(0, next), 0);
    } else {
      end_calls(0);
    }
    return true;
  }

  void end_calls(size_t size) {
    events_.end_calls(rest().substr(0, size));
    at_ += size;
    state_ = State::text;
  }

  const Dialect* dialect_;
  Tools tools_;
  CallEvents events_;
  State state_ = State::text;
  const Reasoning* reasoning_ = nullptr;
  const Opener* opener_ = nullptr;
  std::unique_ptr<CallReader> reader_;
  std::string pending_;
  size_t at_ = 0;  ///< how much of pending_ is done with
  bool ended_ = false;
};

ReplyParser::ReplyParser(const Dialect& dialect, Tools tools, const ReplyOptions& options)
    : impl_(std::make_unique<Impl>(dialect, std::move(tools), options)) {}
ReplyParser::ReplyParser(ReplyParser&&) noexcept = default;
ReplyParser& ReplyParser::operator=(ReplyParser&&) noexcept = default;
ReplyParser::~ReplyParser() = default;

std::vector<Delta> ReplyParser::push(std::string_view text) {
  return impl_->push(text);
}
std::vector<Delta> ReplyParser::finish() {
  return impl_->finish();
}

Reply collect(const std::vector<Delta>& deltas) {
  using Kind = Delta::Kind;
  Reply reply;
  std::vector<std::optional<Call>> calls;
  for (const Delta& delta : deltas) {
    if (delta.kind == Kind::reasoning) reply.reasoning += delta.text;
    if (delta.kind == Kind::content) reply.content += delta.text;
    if (delta.kind == Kind::note || delta.kind == Kind::call_invalid) reply.notes.push_back(delta.text);
    if (delta.kind == Kind::call_begin) calls.push_back(Call{.name = delta.text, .id = {}, .arguments = {}});
    if (delta.call >= calls.size() || !calls[delta.call]) continue;
    std::optional<Call>& call = calls[delta.call];
    if (delta.kind == Kind::call_arguments) call->arguments += delta.text;
    if (delta.kind == Kind::call_invalid) call.reset();
    if (delta.kind == Kind::call_end) {
      call->id = delta.text;
      call->whole = true;
    }
  }
  for (std::optional<Call>& call : calls) {
    if (call) reply.calls.push_back(std::move(*call));
  }
  return reply;
}

Reply parse_reply(const Dialect& dialect, const Tools& tools, std::string_view text, const ReplyOptions& options) {
  ReplyParser parser(dialect, tools, options);
  std::vector<Delta> deltas = parser.push(text);
  std::ranges::move(parser.finish(), std::back_inserter(deltas));
  return collect(deltas);
}

}  // namespace ingle::assistant
