// What `ingle tune` found, remembered by machine and by the model's shape, so that later runs need no flags.
//
// tuning.json of the cache folder: {"version": 1, "checksum": hash64 of the entries' text, "entries": [...]}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/session.h"
#include "core/engine/engine.h"

namespace ingle::cli {

struct Tuning {
  std::string machine;                     ///< machine_fingerprint()
  std::string shape;                       ///< model_shape()
  std::string model;                       ///< the name that it was measured with, for people
  uint32_t threads = 0;                    ///< EngineOptions::threads
  uint32_t batch = 0;                      ///< EngineOptions::batch
  uint32_t saturating = 0;                 ///< the fewest threads that generate about as fast as any number
  double prefill_tps = 0, decode_tps = 0;  ///< tokens per second with these

  bool is_of(std::string_view on_machine, std::string_view of_shape) const {
    return machine == on_machine && shape == of_shape;
  }
};

base::Json to_json(const Tuning& tuning);

std::filesystem::path tuning_path(const Session& session);

/// A missing file is an empty list. Errors: corrupt, unsupported (another version), permission_denied, io_error.
base::Result<std::vector<Tuning>> read_tunings(const std::filesystem::path& path);
/// An empty list removes the file. Errors: as write_file_atomic.
base::Status write_tunings(const std::filesystem::path& path, const std::vector<Tuning>& tunings);

/// Processor, cores that this process may use, and the settings that decide which kernels run.
std::string machine_fingerprint(const Session& session);
const Tuning* find_tuning(const std::vector<Tuning>& tunings, const std::string& machine, const std::string& shape);

/// Lets the engine take from the file what neither a flag nor another setting names. A file that can't be read is a
/// notice.
void use_tuning(const Session& session, core::EngineOptions& options);

}  // namespace ingle::cli
