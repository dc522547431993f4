// Takes a model's reply apart while it is written: reasoning, answer, tool calls.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/dialects/dialect.h"
#include "assistant/dialects/tools.h"

namespace ingle::assistant {

struct Delta {
  enum class Kind {
    reasoning,       ///< text: the next part of it
    content,         ///< text: the next part of the answer
    call_begin,      ///< text: the tool's name, one of the tools given
    call_arguments,  ///< text: the next part of the arguments, a JSON object in the end
    call_end,        ///< text: the id that the model gave the call, or empty
    call_cut,        ///< the reply ended inside the call; its arguments stay a prefix of JSON
    call_invalid,    ///< text: why; forget the call, its text follows as content
    note,            ///< text: why something that looked like a call is content. No part of the reply
  };
  Kind kind = Kind::content;
  size_t call = 0;  ///< with the kinds of calls: which, counted from 0 by their begin
  std::string text;

  friend bool operator==(const Delta&, const Delta&) = default;
};

struct ReplyOptions {
  bool starts_in_reasoning = false;
  /// Give a call's arguments while they are written. Otherwise a call comes once it is whole, and call_invalid and
  /// call_cut never.
  bool stream_arguments = true;
};

/// One reply. Deltas come as early as they are certain; joined, they don't depend on how the text was cut. Each piece
/// of text holds whole code points, as core::TextStream gives them, and then so does each delta. No text is lost: what
/// is no valid call of a given tool comes back as content. Without tools no call is looked for.
class ReplyParser {
 public:
  ReplyParser(const Dialect& dialect, Tools tools, const ReplyOptions& options = {});
  ReplyParser(ReplyParser&&) noexcept;
  ReplyParser& operator=(ReplyParser&&) noexcept;
  ~ReplyParser();

  std::vector<Delta> push(std::string_view text);

  /// The reply ended, by itself or not. Later calls of push and finish give nothing.
  std::vector<Delta> finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct Call {
  std::string name, id;
  std::string arguments;  ///< a JSON object; a prefix of one where not whole
  bool whole = false;

  friend bool operator==(const Call&, const Call&) = default;
};

struct Reply {
  std::string reasoning, content;
  std::vector<Call> calls;  ///< without the invalid ones
  std::vector<std::string> notes;

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// What the deltas of a whole reply make.
Reply collect(const std::vector<Delta>& deltas);

/// A reply that is there as a whole.
Reply parse_reply(const Dialect& dialect, const Tools& tools, std::string_view text, const ReplyOptions& options = {});

}  // namespace ingle::assistant
