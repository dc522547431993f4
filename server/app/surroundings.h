// What the app's pages tell of the machine and of this program, and whoever knows it: the command line fills this in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "assistant/model_view/model_viewer.h"
#include "base/json.h"
#include "base/result.h"
#include "core/engine/engine.h"

namespace ingle::server {

struct AppSurroundings {
  core::EngineOptions engine;             ///< with which models are loaded
  std::function<uint64_t()> free_memory;  ///< bytes, as far as this process may take them; empty: the system's
  uint64_t program_bytes = 0;             ///< what a model's process takes without a model
  std::filesystem::path state_folder;     ///< where what was measured and seen is kept; empty: nowhere
  std::string offline;                    ///< why nothing can be fetched; empty: it can
  std::string recommended;                ///< the model for this machine, by its catalogue's name; empty: none
  std::string recommended_why;            ///< a line
  assistant::ViewerOptions viewer;        ///< the process that looks at model files
  std::function<base::Json()> hardware;   ///< what was detected and chosen, as GET /app/hardware tells it
  /// Loads a model that stays, where the server was started without one. On a thread that may wait for it.
  std::function<base::Status(const std::string& name)> begin_with;
};

}  // namespace ingle::server
