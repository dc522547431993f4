// JSON, byte by byte (RFC 8259): where a value ends is known with its last byte, and what is no JSON is known at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "assistant/dialects/call_reader.h"

namespace ingle::assistant {

/// The inside of a JSON string, from after the opening quote. Line breaks and other control characters, which small
/// models forget to escape, are taken as they are.
class JsonString {
 public:
  /// Appends what the byte means to `decoded`, as UTF-8. done with the closing quote; never unread.
  Take take(char c, std::string& decoded);

 private:
  Take take_escape(char c, std::string& decoded);
  Take take_hex(char c, std::string& decoded);

  bool escape_ = false;
  int hex_left_ = 0;
  uint32_t unit_ = 0;
  uint32_t high_ = 0;  ///< the first half of a surrogate pair, until its second half came
};

/// One JSON value of any kind.
class JsonScanner {
 public:
  static constexpr size_t max_depth = 128;

  /// Appends the byte to `text`, so that `text` is a JSON value in the end; a control character inside a string is
  /// written as its escape. Space before the value is taken. Only a number can end unread.
  Take take(char c, std::string& text);

 private:
  enum class State { value, first_item, first_key, key, colon, after_value, string, word, number };

  Take open(char c);
  Take close(char c);
  Take start_value(char c);
  Take take_string(char c, std::string& text);
  Take take_number(char c);
  bool number_ends() const;
  Take ended();

  State state_ = State::value;
  std::string open_;  ///< the brackets that are open
  bool in_key_ = false;
  JsonString string_;
  std::string_view word_;  ///< what is left of true, false or null
  std::string number_;
};

/// `text` as a JSON string's inside: quotes, backslashes and control characters escaped.
std::string escape_json(std::string_view text);

/// Appends a code point as UTF-8.
void append_utf8(std::string& text, uint32_t code_point);

}  // namespace ingle::assistant
