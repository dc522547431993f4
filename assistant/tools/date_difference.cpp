// date_difference: the days from one date to another, also as whole years, months and days.
#include <cstdlib>
#include <utility>

#include "assistant/tools/dates.h"

namespace ingle::assistant {
namespace {

using base::Json;
namespace chrono = std::chrono;

/// `months` later on the calendar; a day that the month lacks is its last.
chrono::sys_days months_later(chrono::year_month_day date, int months) {
  const chrono::year_month_day later = date + chrono::months(months);
  if (later.ok()) return later;
  return later.year() / later.month() / chrono::last;
}

/// Whole years and months, and the days that are left.
Json calendar_difference(chrono::sys_days from, chrono::sys_days to) {
  const chrono::year_month_day first(from), last(to);
  int months = static_cast<int>(((last.year() / last.month()) - (first.year() / first.month())).count());
  if (months_later(first, months) > to) --months;
  const auto days = (to - months_later(first, months)).count();
  return {{"years", months / 12}, {"months", months % 12}, {"days", days}};
}

base::Result<Json> run(const Json& arguments, const ToolContext& context) {
  INGLE_TRY(const chrono::sys_days from, parse_date(arguments["from"].get_ref<const std::string&>(), "from", context));
  INGLE_TRY(const chrono::sys_days to, parse_date(arguments["to"].get_ref<const std::string&>(), "to", context));
  const int64_t days = (to - from).count();
  Json out = {{"days", days},
              {"weeks_and_days", {{"weeks", std::abs(days) / 7}, {"days", std::abs(days) % 7}}},
              {"years_months_days", calendar_difference(std::min(from, to), std::max(from, to))},
              {"from", date_text(from)},
              {"from_weekday", weekday_name(from)},
              {"to", date_text(to)},
              {"to_weekday", weekday_name(to)}};
  return out;
}

}  // namespace

extern const ToolRecord date_difference_record;
const ToolRecord date_difference_record = {
    .name = "date_difference",
    .description =
        "Counts the days from one date to another (negative where the second is earlier), also in weeks and in years, "
        "months and days, and tells both weekdays.",
    .parameters = R"({
      "type": "object",
      "properties": {
        "from": {"type": "string", "maxLength": 32, "description": "A date as in 2026-02-28, or \"today\"."},
        "to": {"type": "string", "maxLength": 32, "description": "A date as in 2026-02-28, or \"today\"."}
      },
      "required": ["from", "to"],
      "additionalProperties": false
    })",
    .effect = Effect::none,
    .run = run,
};

}  // namespace ingle::assistant
