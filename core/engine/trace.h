// A device's trace as a file that Chrome (chrome://tracing) and Perfetto show: one track for the runs, one per worker.
// Format: "Trace Event Format", complete events ("X") with times in microseconds.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "core/backends/cpu/cpu_device.h"
#include "core/graph/graph.h"

namespace ingle::core {

/// The memory that a trace may take, in bytes; its file is about eight times as large.
inline constexpr uint64_t kTraceBytes = uint64_t{64} << 20;

/// `graph` is what the device's program was compiled from. Errors: as NewFile's.
base::Status write_trace(const std::filesystem::path& path, const Graph& graph, const CpuDevice& device);
/// The same as a text.
std::string trace_text(const Graph& graph, const CpuDevice& device);

}  // namespace ingle::core
