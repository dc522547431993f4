// What this machine can do at most, measured without a model and kept in a file, since it takes a second of all cores.
//
// limits.json of the cache folder: {"version": 1, "checksum": hash64 of the entries' text, "entries": [{"machine": …,
// "measured_at": seconds since 1970, "bytes_per_second": …, "byte_products": …, "float_products": …, "tile_products":
// …}]}. The latest come first. What a busy machine reads is too little: after a day it is measured once more, and of
// each limit the best is kept, as what was reached is possible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "core/engine/engine.h"

namespace ingle::core {

/// What limits were measured with: processor, threads, instruction set. Limits of another are of no use. Errors: as
/// choose_kernels.
base::Result<std::string> machine_key(const EngineOptions& options);

/// With these options' threads and instruction set. Takes about a second, and up to 512 MiB or an eighth of the memory
/// that is free. Errors: out_of_memory; unsupported (the instruction set).
base::Result<MachineLimits> measure_machine(const EngineOptions& options);

struct KeptLimits {
  MachineLimits limits;
  bool old = false;  ///< measured more than a day ago
};
/// Nothing where none were kept for this machine, or where the file is damaged: it can be made again.
std::optional<KeptLimits> kept_limits(const std::filesystem::path& cache_folder, const std::string& machine);
/// With the best of what was kept before; gives that. Errors: as base::write_file_atomic.
base::Result<MachineLimits> keep_limits(const std::filesystem::path& cache_folder, const std::string& machine,
                                        const MachineLimits& limits, int64_t now);

/// Those that were kept or, the first time and where they are old, measured and kept. Errors: as measure_machine.
base::Result<MachineLimits> limits_here(const EngineOptions& options);

}  // namespace ingle::core
