#include "assistant/dialects/json_scanner.h"

#include <charconv>
#include <system_error>

namespace ingle::assistant {

void append_utf8(std::string& text, uint32_t c) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

std::string escape_json(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

Take JsonString::take(char c, std::string& decoded) {
  if (hex_left_ > 0) return take_hex(c, decoded);
  if (escape_) return take_escape(c, decoded);
  if (c == '\\') {
    escape_ = true;
    return Take::more;
  }
  if (high_ != 0) return Take::fail;
  if (c == '"') return Take::done;
  decoded += c;
  return Take::more;
}

Take JsonString::take_escape(char c, std::string& decoded) {
  static constexpr std::string_view letters = "\"\\/bfnrt";
  static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    escape_ = false;
    hex_left_ = 4;
    unit_ = 0;
    return Take::more;
  }
  const size_t which = letters.find(c);
  if (which == letters.npos || high_ != 0) return Take::fail;
  escape_ = false;
  decoded += meanings[which];
  return Take::more;
}

Take JsonString::take_hex(char c, std::string& decoded) {
  uint32_t digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<uint32_t>(c - '0');
  } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
    digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
  } else {
    return Take::fail;
  }
  unit_ = unit_ * 16 + digit;
  if (--hex_left_ > 0) return Take::more;
  const bool low = unit_ >= 0xdc00 && unit_ < 0xe000;
  // A surrogate alone is no character; whoever parses the arguments would refuse it.
  if (low != (high_ != 0)) return Take::fail;
  if (low) {
    append_utf8(decoded, 0x10000 + ((high_ - 0xd800) << 10) + (unit_ - 0xdc00));
    high_ = 0;
  } else if (unit_ >= 0xd800 && unit_ < 0xdc00) {
    high_ = unit_;
  } else {
    append_utf8(decoded, unit_);
  }
  return Take::more;
}

Take JsonScanner::take(char c, std::string& text) {
  if (state_ == State::string) return take_string(c, text);
  if (state_ == State::number) {
    const Take number = take_number(c);
    if (number == Take::more) text += c;
    if (number != Take::unread || open_.empty()) return number;
    state_ = State::after_value;
  }
  Take result = Take::fail;
  if (state_ == State::word) {
    if (word_.front() != c) return Take::fail;
    word_.remove_prefix(1);
    result = word_.empty() ? ended() : Take::more;
  } else if (is_space(c)) {
    result = Take::more;
  } else if (state_ == State::colon) {
    if (c != ':') return Take::fail;
    state_ = State::value;
    result = Take::more;
  } else if (state_ == State::after_value && c == ',') {
    state_ = open_.back() == '{' ? State::key : State::value;
    result = Take::more;
  } else if (c == '}' || c == ']') {
    result = close(c);
  } else if (state_ == State::key || state_ == State::first_key) {
    if (c != '"') return Take::fail;
    in_key_ = true;
    string_ = {};
    state_ = State::string;
    result = Take::more;
  } else if (state_ == State::value || state_ == State::first_item) {
    result = start_value(c);
  }
  if (result != Take::fail) text += c;
  return result;
}

Take JsonScanner::start_value(char c) {
  if (c == '{' || c == '[') return open(c);
  if (c == '"') {
    in_key_ = false;
    string_ = {};
    state_ = State::string;
    return Take::more;
  }
  if (c == '-' || (c >= '0' && c <= '9')) {
    number_ = c;
    state_ = State::number;
    return Take::more;
  }
  for (const std::string_view word : {"true", "false", "null"}) {
    if (word.front() != c) continue;
    word_ = word.substr(1);
    state_ = State::word;
    return Take::more;
  }
  return Take::fail;
}

Take JsonScanner::open(char c) {
  if (open_.size() == max_depth) return Take::fail;
  open_ += c;
  state_ = c == '{' ? State::first_key : State::first_item;
  return Take::more;
}

Take JsonScanner::close(char c) {
  const bool empty = state_ == State::first_key || state_ == State::first_item;
  if (!empty && state_ != State::after_value) return Take::fail;
  if (open_.back() != (c == '}' ? '{' : '[')) return Take::fail;
  open_.pop_back();
  return ended();
}

Take JsonScanner::ended() {
  state_ = State::after_value;
  return open_.empty() ? Take::done : Take::more;
}

Take JsonScanner::take_string(char c, std::string& text) {
  std::string ignored;
  const Take result = string_.take(c, ignored);
  if (result == Take::fail) return result;
  text += static_cast<unsigned char>(c) < 0x20 ? escape_json({&c, 1}) : std::string(1, c);
  if (result == Take::more) return result;
  if (!in_key_) return ended();
  state_ = State::colon;
  return Take::more;
}

Take JsonScanner::take_number(char c) {
  const bool part = (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
  if (!part) return number_ends() ? Take::unread : Take::fail;
  if (number_.size() == 400) return Take::fail;
  number_ += c;
  return Take::more;
}

// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ "e" [ "+" / "-" ] 1*digit ], within the range of a
// double
bool JsonScanner::number_ends() const {
  const std::string_view text = number_;
  size_t at = text.front() == '-' ? 1 : 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - start;
  };
  const size_t start = at;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[start] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  bool small = false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) small = text[at++] == '-';
    if (digits() == 0) return false;
  }
  if (at != text.size()) return false;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec != std::errc::result_out_of_range || small || text[start] == '0';
}

}  // namespace ingle::assistant
