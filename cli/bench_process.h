// One repetition of a measurement: this program again, as `ingle __bench` (cli/commands/bench_child.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/option.h"
#include "cli/session.h"

namespace ingle::cli {

/// The settings of the engine that are set, as flags, so that the child has the values that this process resolved; and
/// those of the command's own options that are called as in `others`.
std::vector<std::string> engine_flags(const Session& session, const std::vector<std::string_view>& others = {});

/// What the child measured of the model at `path`. Errors: the child's; cancelled; internal.
base::Result<base::Json> run_bench_process(const std::vector<std::string>& flags, const std::string& path);

/// An option of the commands that measure: how many tokens, sequences or repetitions.
constexpr Option count_option(std::string_view name, std::string_view help, std::string_view fallback,
                              double minimum = 0, double maximum = 1u << 20) {
  return {.name = name,
          .type = ValueType::integer,
          .metavar = "N",
          .help = help,
          .fallback = fallback,
          .minimum = minimum,
          .maximum = maximum};
}

double median(std::vector<double> values);

}  // namespace ingle::cli
