// Dates as tools read and write them: ISO 8601, the Gregorian calendar, years 1 to 9999.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "assistant/tools/tool.h"
#include "base/result.h"

namespace ingle::assistant {

/// "2026-02-28", or "today" by the context's clock. `where` names the argument. Errors: invalid_argument.
base::Result<std::chrono::sys_days> parse_date(std::string_view text, std::string_view where,
                                               const ToolContext& context);

std::string date_text(std::chrono::sys_days day);
/// "Friday".
std::string_view weekday_name(std::chrono::sys_days day);

}  // namespace ingle::assistant
