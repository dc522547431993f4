// https://docs.kernel.org/filesystems/proc.html: PID/smaps_rollup, PID/status.
#include "cli/footprint.h"

#include <string>

#include "cli/system.h"

namespace ingle::cli {
namespace {

void add(Footprint& sum, const std::filesystem::path& process) {
  const auto threads = read_field(process / "status", "Threads:");
  if (!threads) return;
  auto kib = read_field(process / "smaps_rollup", "Pss:");
  if (!kib) {
    kib = read_field(process / "status", "VmRSS:");
    sum.exact = false;
  }
  sum.bytes += kib.value_or(0) * 1024;
  sum.threads += static_cast<uint32_t>(*threads);
  ++sum.processes;
}

}  // namespace

Footprint footprint(std::span<const int> others, const std::filesystem::path& proc) {
  Footprint sum;
  add(sum, proc / "self");
  for (const int process : others) add(sum, proc / std::to_string(process));
  return sum;
}

}  // namespace ingle::cli
