#include "assistant/tools/dates.h"

#include <cstdio>

#include "base/utf8.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using base::Result;
namespace chrono = std::chrono;

namespace {

/// The number that `text` is, if it is digits only; -1 else.
int digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

Result<chrono::sys_days> parse_date(std::string_view text, std::string_view where, const ToolContext& context) {
  if (text == "today") {
    const chrono::sys_seconds now = context.now();
    return chrono::floor<chrono::days>(now + context.utc_offset(now));
  }
  const std::string name = "\"" + std::string(where) + "\"";
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const int year = shaped ? digits(text.substr(0, 4)) : -1;
  const int month = shaped ? digits(text.substr(5, 2)) : -1;
  const int day = shaped ? digits(text.substr(8, 2)) : -1;
  if (year < 1 || month < 0 || day < 0)
    return Error{ErrorCode::invalid_argument,
                 name + " must be a date as in 2026-02-28 (year, month, day), or today; not '" +
                     base::escape_controls(text) + "'"};
  const chrono::year_month_day date(chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day)));
  if (date.ok()) return chrono::sys_days(date);
  std::string why = "there is no month " + std::to_string(month);
  if (date.month().ok()) {
    const auto last = static_cast<unsigned>((date.year() / date.month() / chrono::last).day());
    why = "that month has the days 1 to " + std::to_string(last);
  }
  return Error{ErrorCode::invalid_argument, name + ": " + std::string(text) + " is not in the calendar; " + why};
}

std::string date_text(chrono::sys_days day) {
  const chrono::year_month_day date(day);
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string_view weekday_name(chrono::sys_days day) {
  constexpr std::string_view names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  return names[chrono::weekday(day).c_encoding()];
}

}  // namespace ingle::assistant
