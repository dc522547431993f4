#include "assistant/model_view/viewer_host.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptors.h"
#include "base/handed_files.h"
#include "base/json.h"
#include "core/anatomy/anatomy.h"
#include "core/anatomy/comparison.h"
#include "core/anatomy/statistics.h"
#include "security/sandbox/confine.h"
#include "security/sandbox/policy.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;

/// False: nobody listens any more.
bool tell(const Json& line) {
  return base::write_all(STDOUT_FILENO, line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string read_all() {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

base::Status confine(const Json& question) {
  base::HandedFiles handed;
  for (const Json& file : question["files"])
    handed.files.push_back({file["path"].get<std::string>(), file["fd"].get<int>(), false});
  base::use_handed_files(std::move(handed));
  security::Access access;
  access.require_full = false;
  access.sanitizers = question["sanitizers"];
  const auto confined = security::confine_self(access, security::kReportFd);
  return confined.ok() ? base::Status() : base::Status(confined.error());
}

Result<Json> statistics(const core::ModelFile& model, const std::string& name) {
  const core::Tensor* tensor = model.find_tensor(name);
  if (tensor == nullptr) return Error{ErrorCode::not_found, "the model has no tensor of that name"};
  INGLE_TRY(const auto found, core::tensor_statistics(*tensor));
  return core::to_json(*tensor, found);
}

Result<Json> compare(const core::ModelFile& model, const core::ModelFile& reference) {
  const auto tell_pair = [](const core::TensorError& pair, double done) {
    Json json = core::to_json(pair);
    json["done"] = done;
    return tell({{"told", std::move(json)}});
  };
  INGLE_TRY(const core::Comparison found, core::compare_models(model, reference, tell_pair));
  return Json{{"pairs", found.pairs.size()}, {"nmse", found.nmse()}, {"unpaired", found.unpaired}};
}

Result<Json> answer(const Json& question) {
  INGLE_CHECK(confine(question));
  std::vector<core::ModelFile> models;
  for (const Json& path : question["models"]) {
    INGLE_TRY(core::ModelFile model, core::ModelFile::open(path.get<std::string>()));
    models.push_back(std::move(model));
  }
  const std::string ask = question["ask"];
  if (ask == "statistics") return statistics(models.front(), question["tensor"]);
  if (ask == "compare") return compare(models.front(), models.back());
  return core::describe_anatomy(models.front());
}

int run() {
  const auto question = base::parse_json(read_all());
  if (!question) return 2;
  const auto answered = answer(*question);
  if (answered) return tell({{"answer", *answered}}) ? 0 : 1;
  const Error& error = answered.error();
  tell({{"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}}}});
  return 1;
}

}  // namespace

int run_viewer_host() {
  return security::on_known_stack(run);
}

}  // namespace ingle::assistant
