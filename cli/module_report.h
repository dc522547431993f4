// `ingle doctor --modules`: which modules are on and why, and what each takes, measured by starting them.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// Starts the modules that the settings switch on, one after the other, and the model that would be served where it is
/// here (nothing is fetched), which then answers a short prompt. Errors: as core_options and assistant::Core::start;
/// that a model can't be loaded is told, and is none.
base::Result<base::Json> report_modules(const Session& session);
/// That for people.
std::string show_modules(const Terminal& terminal, const base::Json& report);

}  // namespace ingle::cli
