#include "assistant/model_view/model_viewer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "assistant/inference/model_files.h"
#include "base/descriptors.h"
#include "security/sandbox/launch.h"

namespace ingle::assistant {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

constexpr size_t kMostBytes = size_t{64} << 20;  ///< of all that one process tells
constexpr int kAskMilliseconds = 100;            ///< from one look at `stop` to the next
/// Of processor time. A model of 70 billion weights takes a tenth of it.
constexpr uint64_t kMostSeconds = 3600;

security::Policy policy_of(const ViewerOptions& options) {
  security::Policy policy;
  policy.access.require_full = false;
  policy.access.sanitizers = options.sanitizers;
  policy.limits.cpu_seconds = kMostSeconds;
  policy.limits.file_size = 0;
  policy.limits.open_files = 256;  // handed in, and opened again
  policy.niceness = 10;            // whoever reads a reply meanwhile comes first
  if (options.sanitizers) policy.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}};
  return policy;
}

/// What a process writes, line by line.
class Lines {
 public:
  explicit Lines(base::FileDescriptor from) : from_(std::move(from)) {}

  /// The next line; nothing: the process has ended. Errors: cancelled, limit_exceeded.
  Result<std::optional<std::string>> next(const ModelViewer::Stop& stop) {
    for (;;) {
      if (const size_t end = text_.find('\n', searched_); end != text_.npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        searched_ = 0;
        return std::optional(std::move(line));
      }
      searched_ = text_.size();
      if (stop && stop()) return Error{ErrorCode::cancelled, "it was stopped"};
      pollfd waiting{from_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kAskMilliseconds) <= 0) continue;
      char buffer[16384];
      const ssize_t count = ::read(from_.get(), buffer, sizeof(buffer));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::optional<std::string>();
      total_ += static_cast<size_t>(count);
      if (total_ > kMostBytes) return Error{ErrorCode::limit_exceeded, "the model file has too much to be told"};
      text_.append(buffer, static_cast<size_t>(count));
    }
  }

 private:
  const base::FileDescriptor from_;
  std::string text_;
  size_t searched_ = 0, total_ = 0;
};

/// The process is not believed to know our errors.
Error error_of(const Json& line) {
  Error error{ErrorCode::corrupt, "the model file can't be read"};
  if (!line.is_object()) return error;
  const auto code = line.find("code");
  const auto message = line.find("message");
  if (code != line.end() && code->is_number_unsigned() && *code <= static_cast<unsigned>(ErrorCode::internal))
    error.code = static_cast<ErrorCode>(code->get<unsigned>());
  if (message != line.end() && message->is_string()) error.message = message->get<std::string>();
  return error;
}

}  // namespace

Result<Json> ModelViewer::describe(const fs::path& model, const Stop& stop) const {
  return ask({{"ask", "describe"}}, {&model, 1}, {}, stop);
}

Result<Json> ModelViewer::statistics(const fs::path& model, const std::string& tensor, const Stop& stop) const {
  return ask({{"ask", "statistics"}, {"tensor", tensor}}, {&model, 1}, {}, stop);
}

Result<Json> ModelViewer::compare(const fs::path& model, const fs::path& reference,
                                  const std::function<void(const Json& pair)>& tell, const Stop& stop) const {
  const fs::path models[] = {model, reference};
  return ask({{"ask", "compare"}}, models, tell, stop);
}

Result<Json> ModelViewer::ask(Json question, std::span<const fs::path> models,
                              const std::function<void(const Json& line)>& tell, const Stop& stop) const {
  std::vector<security::PassedFd> passed;
  std::vector<ModelFiles> handed;
  int next = security::kFirstPassedFd;
  question["sanitizers"] = options_.sanitizers;
  question["files"] = Json::array();
  for (const fs::path& model : models) {
    const fs::path path = fs::absolute(model).lexically_normal();
    question["models"].push_back(path.string());
    INGLE_TRY(ModelFiles files, ModelFiles::open(path, {}));
    handed.push_back(std::move(files));
    for (const ModelFiles::File& file : handed.back().files()) {
      if (next > security::kLastPassedFd)
        return Error{ErrorCode::limit_exceeded, "the models have more files than can be looked at together"};
      passed.push_back({file.fd.get(), next});
      question["files"].push_back({{"path", file.path.string()}, {"fd", next++}});
    }
  }
  INGLE_TRY(const base::FileDescriptor asked,
            base::sealed_file(question.dump(-1, ' ', false, Json::error_handler_t::replace)));
  INGLE_TRY(base::Pipe answers, base::make_pipe());
  passed.push_back({asked.get(), STDIN_FILENO});
  passed.push_back({answers.write.get(), STDOUT_FILENO});
  INGLE_TRY(security::Child child, security::launch(policy_of(options_), options_.program, options_.arguments, passed));
  answers.write = base::FileDescriptor();
  Lines lines(std::move(answers.read));
  for (;;) {
    INGLE_TRY(const std::optional<std::string> line, lines.next(stop));
    if (!line) break;
    INGLE_TRY(Json said, base::parse_json(*line));
    if (!said.is_object()) break;
    if (said.contains("answer")) return std::move(said["answer"]);
    if (said.contains("error")) return error_of(said["error"]);
    if (tell && said.contains("told")) tell(said["told"]);
  }
  INGLE_TRY(const auto exit, child.wait());
  return Error{ErrorCode::unavailable, "the process that looks at models " + (exit ? exit->describe() : "has ended")};
}

}  // namespace ingle::assistant
