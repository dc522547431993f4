#include "assistant/dialects/literals.h"

#include <algorithm>

#include "assistant/dialects/json_scanner.h"

namespace ingle::assistant {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_scalar(char c) {
  return is_digit(c) || is_word(c) || c == '_' || c == '.' || c == '+' || c == '-';
}

}  // namespace

std::string json_number(std::string_view text, bool python) {
  std::string number(text);
  if (python) {
    std::erase(number, '_');
    if (number.starts_with('+')) number.erase(0, 1);
    const size_t start = number.starts_with('-') ? 1 : 0;
    if (number.substr(start).starts_with('.')) number.insert(start, "0");
    const size_t point = number.find('.');
    if (point != number.npos && (point + 1 == number.size() || !is_digit(number[point + 1]))) {
      number.insert(point + 1, "0");
    }
  }
  JsonScanner scanner;
  std::string seen;
  for (const char c : number) {
    if (scanner.take(c, seen) != Take::more) return {};
  }
  // Only a number ends with the byte after it.
  return scanner.take(' ', seen) == Take::unread ? number : std::string();
}

Take LiteralReader::take(char c, std::string& json) {
  switch (state_) {
    case State::string:
      return take_string(c, json);
    case State::fenced:
      return take_fenced(c, json);
    case State::fence_opens:
      return take_fence_open(c, json);
    case State::bare_key:
      return take_bare_key(c, json);
    case State::scalar:
      if (is_scalar(c) && text_.size() < 400) {
        text_ += c;
        return Take::more;
      }
      if (!end_scalar(json)) return Take::fail;
      if (open_.empty()) return Take::unread;
      state_ = State::after_value;
      break;
    default:
      break;
  }
  if (is_space(c)) return Take::more;
  if (state_ == State::value || state_ == State::key) return take_value(c, json);
  if (state_ == State::after_value) return take_after_value(c, json);
  if (c != ':') return Take::fail;
  json += ": ";
  state_ = State::value;
  comma_ = false;
  return Take::more;
}

void LiteralReader::separate(std::string& json) {
  if (comma_) json += ", ";
  comma_ = false;
}

Take LiteralReader::take_value(char c, std::string& json) {
  const bool key = state_ == State::key;
  if (c == ']' || c == ')' || c == '}') return close(c, json);
  in_key_ = key;
  if (notation_.quotes.find(c) != std::string_view::npos) {
    separate(json);
    json += '"';
    quote_ = c;
    state_ = State::string;
    return Take::more;
  }
  if (!notation_.fence.empty() && c == notation_.fence.front()) {
    separate(json);
    json += '"';
    text_.clear();
    state_ = State::fence_opens;
    return take_fence_open(c, json);
  }
  if (key) {
    if (!notation_.bare_keys) return Take::fail;
    separate(json);
    text_.clear();
    state_ = State::bare_key;
    return take_bare_key(c, json);
  }
  if (c == '[' || c == '{' || (c == '(' && notation_.python)) {
    if (open_.size() == max_depth) return Take::fail;
    separate(json);
    open_ += c;
    json += c == '{' ? '{' : '[';
    state_ = c == '{' ? State::key : State::value;
    return Take::more;
  }
  if (!is_scalar(c)) return Take::fail;
  separate(json);
  text_ = c;
  state_ = State::scalar;
  return Take::more;
}

Take LiteralReader::close(char c, std::string& json) {
  // After a comma only Python lets a bracket close; after "key:" nothing does.
  const bool after_colon = state_ == State::value && !open_.empty() && open_.back() == '{';
  if (open_.empty() || after_colon || (comma_ && !notation_.python)) return Take::fail;
  const char opened = open_.back();
  if (c != (opened == '{' ? '}' : opened == '[' ? ']' : ')')) return Take::fail;
  json += c == '}' ? '}' : ']';
  open_.pop_back();
  comma_ = false;
  return ended();
}

Take LiteralReader::ended() {
  state_ = State::after_value;
  return open_.empty() ? Take::done : Take::more;
}

Take LiteralReader::take_after_value(char c, std::string& json) {
  if (c != ',') return close(c, json);
  comma_ = true;
  state_ = open_.back() == '{' ? State::key : State::value;
  return Take::more;
}

Take LiteralReader::end_string(std::string& json) {
  json += '"';
  if (!in_key_) return ended();
  state_ = State::colon;
  return Take::more;
}

Take LiteralReader::take_string(char c, std::string& json) {
  if (escape_ || hex_left_ > 0) return take_escape(c, json);
  if (c == quote_) return end_string(json);
  if (c == '\\') {
    escape_ = true;
  } else {
    json += escape_json({&c, 1});
  }
  return Take::more;
}

Take LiteralReader::take_escape(char c, std::string& json) {
  static constexpr std::string_view letters = "abfnrtv\\'\"/0";
  static constexpr std::string_view meanings("\a\b\f\n\r\t\v\\'\"/\0", 12);
  if (hex_left_ > 0) {
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(is_word(c) ? c | 0x20 : c));
    if (digit == std::string_view::npos) return Take::fail;
    code_ = code_ * 16 + static_cast<uint32_t>(digit);
    if (--hex_left_ > 0) return Take::more;
    if (code_ > 0x10ffff || (code_ >= 0xd800 && code_ < 0xe000)) return Take::fail;
    std::string character;
    append_utf8(character, code_);
    json += escape_json(character);
    return Take::more;
  }
  escape_ = false;
  code_ = 0;
  if (c == 'x' || c == 'u' || c == 'U') {
    hex_left_ = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    return Take::more;
  }
  if (c == '\n') return Take::more;  // a line that goes on
  const size_t which = letters.find(c);
  if (which == letters.npos) {
    json += "\\\\";  // Python keeps the backslash of what is no escape
    json += escape_json({&c, 1});
  } else {
    json += escape_json(meanings.substr(which, 1));
  }
  return Take::more;
}

Take LiteralReader::take_fence_open(char c, std::string&) {
  text_ += c;
  if (!notation_.fence.starts_with(text_)) return Take::fail;
  if (text_ == notation_.fence) {
    text_.clear();
    state_ = State::fenced;
  }
  return Take::more;
}

Take LiteralReader::take_fenced(char c, std::string& json) {
  text_ += c;
  if (text_ == notation_.fence) return end_string(json);
  while (!notation_.fence.starts_with(text_)) {
    json += escape_json(std::string_view(text_).substr(0, 1));
    text_.erase(0, 1);
  }
  return Take::more;
}

Take LiteralReader::take_bare_key(char c, std::string& json) {
  if (c != ':') {
    static constexpr std::string_view never = "{}[](),\"'<>\n";
    if (never.find(c) != never.npos || text_.size() == 256) return Take::fail;
    text_ += c;
    return Take::more;
  }
  if (text_.empty()) return Take::fail;
  json += '"' + escape_json(text_) + "\": ";
  state_ = State::value;
  return Take::more;
}

bool LiteralReader::end_scalar(std::string& json) {
  static constexpr std::string_view words[][2] = {{"true", "true"}, {"false", "false"}, {"null", "null"},
                                                  {"True", "true"}, {"False", "false"}, {"None", "null"}};
  for (const auto& [word, value] : words) {
    if (text_ != word) continue;
    json += value;
    return true;
  }
  const std::string number = json_number(text_, notation_.python);
  json += number;
  return !number.empty();
}

}  // namespace ingle::assistant
