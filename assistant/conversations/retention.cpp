#include "assistant/conversations/retention.h"

#include <charconv>

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;

namespace {

int64_t days_in(char unit) {
  switch (unit) {
    case 'd':
      return 1;
    case 'w':
      return 7;
    case 'm':
      return 30;
    case 'y':
      return 365;
    default:
      return 0;
  }
}

}  // namespace

base::Result<int64_t> parse_retention(std::string_view text) {
  if (text == "forever") return kForever;
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  const int64_t unit = read.ptr + 1 == text.data() + text.size() ? days_in(*read.ptr) : 0;
  if (read.ec == std::errc() && unit > 0 && count > 0 && count <= kLongestKept / unit) return count * unit;
  return Error{ErrorCode::invalid_argument, "is not 'forever' or an age from 1d to 100y, as in 30d, 8w, 6m or 1y"};
}

std::string retention_text(int64_t days) {
  return days == kForever ? "forever" : std::to_string(days) + "d";
}

int64_t too_old_before(int64_t days, int64_t now) {
  constexpr int64_t kDay = int64_t{24} * 3600 * 1000;
  return days == kForever ? 0 : now - days * kDay;
}

}  // namespace ingle::assistant
