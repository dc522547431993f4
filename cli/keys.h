// Where the server's keys are.
#pragma once

#include <filesystem>

#include "cli/session.h"

namespace ingle::cli {

inline std::filesystem::path keys_folder(const Session& session) {
  return session.paths.state / "keys";
}

}  // namespace ingle::cli
