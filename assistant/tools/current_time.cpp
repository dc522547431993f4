// current_time: what a person's clock and calendar show, or those at a UTC offset. Zones by name would need the
// system's tables of zones, a format of its own to parse, so they are refused.
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "assistant/tools/dates.h"
#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Json;
namespace chrono = std::chrono;

/// "+05:30" to "-12:00"; also "Z".
std::optional<chrono::seconds> parse_offset(std::string_view text) {
  if (text == "UTC" || text == "Z") return chrono::seconds(0);
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digit(1) * 10 + digit(2), minutes = digit(4) * 10 + digit(5);
  if (hours > 14 || minutes > 59) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  return chrono::hours(sign * hours) + chrono::minutes(sign * minutes);
}

std::string offset_text(chrono::seconds offset) {
  const auto minutes = std::abs(offset.count()) / 60;
  char text[32];
  std::snprintf(text, sizeof(text), "%c%02lld:%02lld", offset.count() < 0 ? '-' : '+',
                static_cast<long long>(minutes / 60), static_cast<long long>(minutes % 60));
  return text;
}

base::Result<Json> run(const Json& arguments, const ToolContext& context) {
  const std::string zone = arguments.value("utc_offset", std::string("local"));
  const chrono::sys_seconds now = context.now();
  std::optional<chrono::seconds> offset = zone == "local" ? context.utc_offset(now) : parse_offset(zone);
  if (!offset)
    return base::Error{base::ErrorCode::invalid_argument,
                       "\"utc_offset\" must be local, UTC, or an offset as in +05:30, not '" +
                           base::escape_controls(zone) + "'; names of places and zones are not known here"};
  const auto local = now + *offset;
  const auto day = chrono::floor<chrono::days>(local);
  const chrono::hh_mm_ss clock(local - day);
  char time[32];
  std::snprintf(time, sizeof(time), "%02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return Json{
      {"date", date_text(day)}, {"weekday", weekday_name(day)}, {"time", time}, {"utc_offset", offset_text(*offset)}};
}

}  // namespace

extern const ToolRecord current_time_record;
const ToolRecord current_time_record = {
    .name = "current_time",
    .description = "Tells the current date, weekday and time, here or at a UTC offset.",
    .parameters = R"json({
      "type": "object",
      "properties": {
        "utc_offset": {
          "type": "string",
          "maxLength": 64,
          "description": "local (the default: the person's clock), UTC, or an offset as in +05:30; no place's name"
        }
      },
      "additionalProperties": false
    })json",
    .effect = Effect::none,
    .run = run,
};

}  // namespace ingle::assistant
