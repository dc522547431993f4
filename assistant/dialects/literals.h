// Values that are written in another notation than JSON, turned into JSON byte by byte: Python's literals (The Python
// Language Reference, 2.4 and 6.2), and the values in calls of FunctionGemma and Gemma 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "assistant/dialects/call_reader.h"

namespace ingle::assistant {

struct Notation {
  std::string_view quotes;      ///< bytes that open and close a string with backslash escapes
  std::string_view fence = {};  ///< a text that stands on both sides of a string without escapes, or empty
  bool bare_keys = false;       ///< keys of objects stand without quotes
  bool python = false;          ///< True, False, None, tuples, 1_000, .5
};

constexpr Notation python_notation{.quotes = "\"'", .python = true};

/// One value: string, number, word, list, or object.
class LiteralReader {
 public:
  static constexpr size_t max_depth = 128;

  explicit LiteralReader(const Notation& notation) : notation_(notation) {}

  /// Appends the value as JSON to `json`, with separators as Python's json.dumps has them. A number or a word ends
  /// unread.
  Take take(char c, std::string& json);

 private:
  enum class State { value, string, fenced, fence_opens, scalar, key, bare_key, colon, after_value };

  Take take_value(char c, std::string& json);
  Take take_string(char c, std::string& json);
  Take take_escape(char c, std::string& json);
  Take take_fenced(char c, std::string& json);
  Take take_fence_open(char c, std::string& json);
  Take take_bare_key(char c, std::string& json);
  Take take_after_value(char c, std::string& json);
  Take end_string(std::string& json);
  Take ended();
  Take close(char c, std::string& json);
  bool end_scalar(std::string& json);
  void separate(std::string& json);

  Notation notation_;
  State state_ = State::value;
  std::string open_;  ///< the brackets that are open
  std::string text_;  ///< a scalar, a bare key, or the part of a fence that was seen
  bool comma_ = false, in_key_ = false;
  char quote_ = 0;
  bool escape_ = false;
  int hex_left_ = 0;
  uint32_t code_ = 0;
};

/// A number as Python writes it, as JSON; empty where it is none.
std::string json_number(std::string_view text, bool python);

}  // namespace ingle::assistant
