// What the readers of tool calls share: a reader takes a reply byte by byte from the place where a call may start, and
// tells a sink what it found. It decides by what it has seen alone, so that the result can't depend on how the text
// was cut.
#pragma once

#include <string_view>

#include "assistant/dialects/tools.h"

namespace ingle::assistant {

/// What became of a byte.
enum class Take {
  more,    ///< taken; there is more to come
  done,    ///< taken, and with it the whole thing ended
  unread,  ///< not taken: the thing had ended before it
  fail,    ///< not taken: this is no such thing
};

class CallSink {
 public:
  virtual ~CallSink() = default;

  /// A call of this tool starts. A name that is no tool's is fine: what follows is then text for the person, and is
  /// still read to its end, so that nothing inside it is taken for another call.
  virtual void begin(std::string_view name) = 0;
  /// The next part of the arguments, as JSON text.
  virtual void arguments(std::string_view json) = 0;
  /// The call is whole. `id` is what the model named it, or empty.
  virtual void end(std::string_view id) = 0;
  /// What came since the last whole call were the marks around it, and may be the end.
  virtual void settle() = 0;
};

class CallReader {
 public:
  explicit CallReader(const Tools& tools) : tools_(&tools) {}
  CallReader(const CallReader&) = delete;
  CallReader& operator=(const CallReader&) = delete;
  virtual ~CallReader() = default;

  virtual Take take(char c, CallSink& sink) = 0;

 protected:
  const Tools& tools() const { return *tools_; }

 private:
  const Tools* tools_;  ///< outlives the reader
};

inline bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace ingle::assistant
