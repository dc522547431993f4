#include "server/app/model_answers.h"

#include <atomic>
#include <memory>
#include <utility>

namespace ingle::server {

using base::Error;
using base::ErrorCode;

base::Result<std::filesystem::path> model_file(const Call& call, const std::string& name) {
  const std::string own = call.stored->name_of(name);
  const auto found =
      own.empty() ? base::Result<store::InstalledModel>(Error{ErrorCode::not_found, {}}) : call.stored->find(own);
  if (!found) return Error{ErrorCode::not_found, "the model '" + name.substr(0, 128) + "' is not here"};
  return found->path;
}

assistant::ModelViewer::Stop when_gone(const Call& call) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  call.exchange->on_gone([gone] { *gone = true; });
  return [gone, stored = call.stored] { return *gone || stored->stopping(); };
}

void answer_of_model(
    Call& call,
    std::function<base::Result<base::Json>(const assistant::ModelViewer& viewer, const std::filesystem::path& model,
                                           const assistant::ModelViewer::Stop& stop)>
        question) {
  auto file = model_file(call, call.parameter);
  if (!file) return call.fail(api_error(file.error(), "model"));
  call.in_background([call, file = std::move(file).value(), question = std::move(question)]() mutable {
    auto answer = question(call.app->viewer(), file, when_gone(call));
    if (!answer) return call.fail(api_error(answer.error()));
    call.respond(*answer);
  });
}

}  // namespace ingle::server
