// What this process and others of ours take of the machine now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace ingle::cli {

struct Footprint {
  /// Memory: what each process has alone, and its share of what several have (PSS: mapped files too). Of a process that
  /// does not let us look (a confined one, unless we are root) all that it has (RSS), which is more.
  uint64_t bytes = 0;
  uint32_t threads = 0, processes = 0;
  bool exact = true;  ///< PSS of all
};

/// Of this process and `others`; one that is gone counts as nothing. `proc` is where the kernel's files are.
Footprint footprint(std::span<const int> others, const std::filesystem::path& proc = "/proc");

}  // namespace ingle::cli
