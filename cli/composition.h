// From settings to the assistant's core: the profile, the modules that are on and why, and what they are given.
#pragma once

#include <string>

#include "assistant/core/core.h"
#include "assistant/model_view/model_viewer.h"
#include "cli/session.h"

namespace ingle::cli {

struct Composition {
  assistant::ProfileId profile = assistant::ProfileId::full;
  std::string profile_reason;  ///< "named by --profile", or what was measured
  assistant::ModuleSet on;

  bool has(assistant::ModuleId id) const { return on.has(id); }
};

/// What of this machine chooses a profile.
assistant::Measured measure_device();

/// Of a command that takes group_modules.
Composition composition(const Session& session);
/// "profile minimal", "--no-module-updates": who switched the module on or off.
std::string reason_of(const Session& session, const Composition& composition, const assistant::Module& module);

/// The core's options but for `name_of` and `load`: engine options as engine_options_here(), the profile's bounds, and
/// over them what somebody names. Errors: unsupported, invalid_argument (a device is required that the hardware
/// interface would have to find, and it is off).
base::Result<assistant::CoreOptions> core_options(const Session& session, const Composition& composition);

/// The process that looks at model files.
assistant::ViewerOptions viewer_options();

/// A notice where a newer version is known, or where that can't be told.
void report_updates(const Session& session, const assistant::Core& core);

}  // namespace ingle::cli
