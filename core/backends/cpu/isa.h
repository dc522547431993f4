// Which instruction sets work here: asked of the processor and the system, then proven by running their kernels on
// small data against the portable ones in a child process, so that a machine that lies costs a child and not us.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/kernels/kernels.h"

namespace ingle::core {

struct IsaStatus {
  std::string name;
  bool offered = false;  ///< the processor and the system say it is there
  bool proven = false;   ///< its kernels ran and agreed
  std::string note;      ///< why not
};

/// All of this build, in order of preference, "scalar" last. Results are cached in `cache_folder` (empty: not) until
/// the next boot or build, unless a probe could not be run to its end.
std::vector<IsaStatus> probe_isas(const std::filesystem::path& cache_folder);

/// The kernels of `name`, or of the best proven set where it is empty. Errors: unsupported (lists what works here).
base::Result<const Kernels*> choose_kernels(std::string_view name, const std::filesystem::path& cache_folder);

/// choose_kernels() gives this set from now on, which another process has proven: nothing is started or read. Before
/// there are other threads. Errors: unsupported (this processor, or this program, does not have it).
base::Status assume_isa(const std::string& name);

/// Compares every kernel of `kernels` with the portable ones on small pseudo-random data; empty where they agree, else
/// which did not. Run by the probe and by the tests.
std::string compare_with_scalar(const Kernels& kernels);

}  // namespace ingle::core
