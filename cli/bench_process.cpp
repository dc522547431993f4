#include "cli/bench_process.h"

#include <algorithm>

#include "base/clock.h"
#include "cli/interrupt.h"
#include "cli/subprocess.h"

namespace ingle::cli {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

std::vector<std::string> engine_flags(const Session& session, const std::vector<std::string_view>& others) {
  std::vector<std::string> out;
  for (const Option* option : options_of(*session.command)) {
    const bool passed = option->group == group_engine || std::ranges::find(others, option->name) != others.end();
    if (!passed || option->name == "model" || !session.values.is_set(option->name)) continue;
    const bool bare = option->type == ValueType::flag || option->type == ValueType::toggle;
    if (bare) {
      out.push_back((session.values.flag(option->name) ? "--" : "--no-") + std::string(option->name));
      continue;
    }
    for (const std::string& text : session.values.list(option->name)) {
      out.push_back("--" + std::string(option->name));
      out.push_back(text);
    }
  }
  return out;
}

Result<Json> run_bench_process(const std::vector<std::string>& flags, const std::string& path) {
  std::vector<std::string> words = {"__bench", "--quiet"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {"--started", std::to_string(base::monotonic_ns()), "--", path});
  INGLE_TRY(const Finished finished, run_self(words));
  if (interrupted()) return Error{ErrorCode::cancelled, ""};
  const auto json = base::parse_json(finished.output);
  if (!json || !json->is_object()) {
    return Error{ErrorCode::internal, "the measuring process ended with status " +
                                          std::to_string(finished.exit_status) +
                                          " and no result; run 'ingle run' with the same model to see why"};
  }
  if (json->contains("error")) {
    const Json& error = (*json)["error"];
    return Error{static_cast<ErrorCode>(error["code"].get<int>()), error["message"].get<std::string>()};
  }
  return *json;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace ingle::cli
