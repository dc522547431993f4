// Turns what the readers find into deltas: keeps back space whose fate is open, and the text of a call that may yet
// prove to be none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/reply.h"

namespace ingle::assistant {

class CallEvents final : public CallSink {
 public:
  CallEvents(const Tools& tools, bool stream, std::string_view trimmed)
      : tools_(&tools), stream_(stream), trimmed_(trimmed) {}

  /// Deltas since the last time, neighbours of one kind joined.
  std::vector<Delta> take();

  bool has_content() const { return has_content_; }
  bool has_calls() const { return touched_call_ || next_call_ > 0; }

  void start_reasoning();
  void reasoning(std::string_view text);
  void end_reasoning() { reasoning_space_.clear(); }

  void space(std::string_view text) { space_ += text; }
  void content(std::string_view text);

  /// A reader starts; `marker` is what stood before it. `doubtful`: nothing says that this is a call, and nothing need
  /// be said if it is none.
  void start_calls(std::string_view marker, bool doubtful);
  /// The reader is shown this byte; then, whether it took it.
  void see(char c) { raw_ += c; }
  void seen(bool taken);
  void fail();
  /// The calls ended, and with them this text, a closing mark.
  void end_calls(std::string_view text);
  /// The reply ended inside the calls.
  void cut();
  void finish(bool trim_end);

  void begin(std::string_view name) override;
  void arguments(std::string_view json) override;
  void end(std::string_view id) override;
  void settle() override { settled_ = true; }

 private:
  void emit(Delta::Kind kind, std::string_view text);
  void add(std::vector<Delta>& to, Delta::Kind kind, std::string_view text) const;
  void put(Delta::Kind kind, std::string_view text, std::string& space, bool& started);
  void raw_to_content();

  const Tools* tools_;
  bool stream_;
  std::string_view trimmed_;
  std::vector<Delta> out_, held_;        ///< held_: a call's deltas until it is whole, where they don't stream
  std::string space_, reasoning_space_;  ///< seen, and followed by nothing yet
  std::string raw_;                      ///< the text since the calls' start or the last whole call
  size_t next_call_ = 0;
  bool in_call_ = false, dead_ = false;                      ///< dead_: what is read is no call of ours
  bool whole_ = false, settled_ = false, doubtful_ = false;  ///< whole_: a call ended since the calls' start
  bool has_content_ = false, has_reasoning_ = false, touched_call_ = false;
};

}  // namespace ingle::assistant
