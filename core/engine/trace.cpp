#include "core/engine/trace.h"

#include <charconv>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "core/engine/profile.h"

namespace ingle::core {
namespace {

// Goes into the file a part at a time: a trace may be larger than what one wants in memory.
class TraceWriter {
 public:
  explicit TraceWriter(base::NewFile file) : file_(std::move(file)) {}

  base::Status add(std::string_view text) {
    text_ += text;
    return text_.size() < kPart ? base::Status() : flush();
  }
  base::Status finish() {
    INGLE_CHECK(flush());
    return file_.commit(false);
  }

 private:
  static constexpr size_t kPart = 1 << 20;
  base::Status flush() {
    INGLE_CHECK(file_.write_at(written_, std::as_bytes(std::span(text_))));
    written_ += text_.size();
    text_.clear();
    return {};
  }

  base::NewFile file_;
  std::string text_;
  uint64_t written_ = 0;
};

std::optional<uint32_t> layer_in(std::string_view name) {
  for (const std::string_view prefix : {"blk.", "model.layers."}) {
    uint32_t layer = 0;
    if (name.starts_with(prefix) &&
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), layer).ec == std::errc())
      return layer;
  }
  return std::nullopt;
}

// By kernel. One that names no layer belongs to the next that could: a norm to the product that reads it.
std::vector<std::optional<uint32_t>> layers_of(const Graph& graph, const Program& program) {
  std::vector<std::optional<uint32_t>> layers(program.kernels.size());
  std::optional<uint32_t> next;
  for (size_t i = layers.size(); i-- > 0;) {
    const KernelDesc& kernel = program.kernels[i];
    if (kernel.kind == KernelKind::attention || kernel.kind == KernelKind::prepare_attention) next = kernel.layer;
    if (kernel.kind == KernelKind::matmul) next = layer_in(graph.matrices[static_cast<size_t>(kernel.matrix)].name);
    if (kernel.kind != KernelKind::embed && kernel.kind != KernelKind::rope_table) layers[i] = next;
  }
  return layers;
}

std::string microseconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(ns / 1000), static_cast<long long>(ns % 1000));
  return text;
}

// A complete event but for its end; times are from the trace's start.
std::string slice(size_t track, std::string_view quoted_name, int64_t begin_ns, int64_t end_ns) {
  return ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":" + std::to_string(track) + ",\"name\":" + std::string(quoted_name) +
         ",\"ts\":" + microseconds(begin_ns) + ",\"dur\":" + microseconds(end_ns - begin_ns);
}

std::string track_name(size_t track, const std::string& name) {
  return ",\n" +
         base::Json{{"ph", "M"}, {"pid", 1}, {"tid", track}, {"name", "thread_name"}, {"args", {{"name", name}}}}
             .dump();
}

std::string quoted(const std::string& text) {
  return base::Json(text).dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

/// Takes the next part of the text.
using Add = std::function<base::Status(std::string_view)>;

base::Status write(const Graph& graph, const CpuDevice& device, const Add& add) {
  const Trace& trace = device.trace();
  const Program& program = device.program();
  const auto layers = layers_of(graph, program);
  std::vector<std::string> names;
  for (const KernelDesc& kernel : program.kernels) names.push_back(quoted(kernel_name(graph, kernel)));
  const int64_t start = trace.runs.empty() ? 0 : trace.runs.front().begin_ns;

  INGLE_CHECK(add("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"dropped_runs\":" + std::to_string(trace.dropped_runs) +
                  "},\"traceEvents\":[\n" +
                  R"({"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"ingle"}})"));
  INGLE_CHECK(add(track_name(0, "runs")));
  for (const RunSlice& run : trace.runs)
    INGLE_CHECK(add(slice(0, "\"run\"", run.begin_ns - start, run.end_ns - start) +
                    ",\"args\":{\"tokens\":" + std::to_string(run.tokens) + "}}"));
  for (size_t worker = 0; worker < trace.workers.size(); ++worker) {
    INGLE_CHECK(add(track_name(worker + 1, "worker " + std::to_string(worker))));
    for (const KernelSlice& s : trace.workers[worker]) {
      const KernelCost cost = cost_of(program.kernels[s.kernel], device.weights(), s.rows);
      std::string args = "\"rows\":" + std::to_string(s.rows);
      if (layers[s.kernel]) args += ",\"layer\":" + std::to_string(*layers[s.kernel]);
      if (cost.multiply_adds > 0)
        args += ",\"bytes\":" + std::to_string(static_cast<uint64_t>(cost.weight_bytes)) +
                ",\"macs\":" + std::to_string(static_cast<uint64_t>(cost.multiply_adds));
      INGLE_CHECK(
          add(slice(worker + 1, names[s.kernel], s.begin_ns - start, s.done_ns - start) + ",\"args\":{" + args + "}}"));
      if (s.met_ns > s.done_ns)
        INGLE_CHECK(add(slice(worker + 1, "\"wait\"", s.done_ns - start, s.met_ns - start) + "}"));
    }
  }
  return add("\n]}\n");
}

}  // namespace

base::Status write_trace(const std::filesystem::path& path, const Graph& graph, const CpuDevice& device) {
  INGLE_TRY(base::NewFile file, base::NewFile::create(path));
  TraceWriter writer(std::move(file));
  INGLE_CHECK(write(graph, device, [&writer](std::string_view part) { return writer.add(part); }));
  return writer.finish();
}

std::string trace_text(const Graph& graph, const CpuDevice& device) {
  std::string text;
  static_cast<void>(write(graph, device, [&text](std::string_view part) {
    text += part;
    return base::Status();
  }));
  return text;
}

}  // namespace ingle::core
