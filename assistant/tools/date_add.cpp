// date_add: the date that lies years, months, weeks and days after another, or before it.
#include "assistant/tools/dates.h"

namespace ingle::assistant {
namespace {

using base::Json;
namespace chrono = std::chrono;

base::Result<Json> run(const Json& arguments, const ToolContext& context) {
  INGLE_TRY(const chrono::sys_days from, parse_date(arguments["date"].get_ref<const std::string&>(), "date", context));
  const auto count = [&](const char* name) { return arguments.value(name, 0); };
  const chrono::year_month_day start(from);
  const chrono::year_month_day moved = start + chrono::months(count("years") * 12 + count("months"));
  // 31 January and a month is the last day of February.
  const chrono::sys_days month_day =
      moved.ok() ? chrono::sys_days(moved) : chrono::sys_days(moved.year() / moved.month() / chrono::last);
  const chrono::sys_days day = month_day + chrono::days(count("weeks") * 7 + count("days"));
  constexpr chrono::sys_days first = chrono::year(1) / 1 / 1, last = chrono::year(9999) / 12 / 31;
  if (day < first || day > last)
    return base::Error{base::ErrorCode::limit_exceeded, "that is beyond the years 1 to 9999; add or subtract less"};
  return Json{{"date", date_text(day)}, {"weekday", weekday_name(day)}};
}

}  // namespace

extern const ToolRecord date_add_record;
const ToolRecord date_add_record = {
    .name = "date_add",
    .description =
        "Tells the date and weekday that lies years, months, weeks and days after a date, or before it where they are "
        "negative. Years and months come first; a day that the month lacks becomes its last.",
    .parameters = R"({
      "type": "object",
      "properties": {
        "date": {"type": "string", "maxLength": 32, "description": "A date as in 2026-02-28, or \"today\"."},
        "years": {"type": "integer", "minimum": -9999, "maximum": 9999, "description": "Years to add."},
        "months": {"type": "integer", "minimum": -120000, "maximum": 120000, "description": "Months to add."},
        "weeks": {"type": "integer", "minimum": -530000, "maximum": 530000, "description": "Weeks to add."},
        "days": {"type": "integer", "minimum": -3700000, "maximum": 3700000, "description": "Days to add."}
      },
      "required": ["date"],
      "additionalProperties": false
    })",
    .effect = Effect::none,
    .run = run,
};

}  // namespace ingle::assistant
