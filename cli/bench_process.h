// One repetition of a measurement: this program again, as `ingle __bench` (cli/commands/bench_child.cpp).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// The settings of the engine that are set, as flags, so that the child has the values that this process resolved; and
/// those of the command's own options that are called as in `others`.
std::vector<std::string> engine_flags(const Session& session, const std::vector<std::string_view>& others = {});

/// What the child measured of the model at `path`. Errors: the child's; cancelled; internal.
base::Result<base::Json> run_bench_process(const std::vector<std::string>& flags, const std::string& path);

double median(std::vector<double> values);

}  // namespace ingle::cli
