// Where a person's conversations are kept.
#pragma once

#include <filesystem>

#include "cli/session.h"

namespace ingle::cli {

inline std::filesystem::path history_file(const Session& session) {
  return session.paths.data / "conversations.db";
}

}  // namespace ingle::cli
