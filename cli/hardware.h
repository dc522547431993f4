// What is known of this machine and what was chosen for it: for `ingle doctor` and for the app.
#pragma once

#include "base/json.h"
#include "cli/composition.h"
#include "cli/session.h"

namespace ingle::cli {

/// Processor, cores, memory, instruction sets.
base::Json describe_machine(const Session& session);
/// What keeps a model's process (of `ingle serve`) from the rest of the machine.
base::Json describe_confinement();
/// The graphics processors that the system shows; models are computed on none of them.
base::Json describe_accelerators();
/// What GET /app/hardware tells: all of the above, the profile, the modules that are on and why, and where data lies.
base::Json describe_hardware(const Session& session, const Composition& composition);

}  // namespace ingle::cli
