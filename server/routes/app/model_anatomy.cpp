// GET /app/models/{model}/anatomy: what a model consists of.
#include <utility>

#include "server/app/model_answers.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  answer_of_model(
      call,
      [name = call.parameter](const auto& viewer, const auto& model, const auto& stop) -> base::Result<base::Json> {
        INGLE_TRY(base::Json json, viewer.describe(model, stop));
        if (json.is_object()) json["model"] = name;
        return json;
      });
}

}  // namespace

extern const Route model_anatomy_record;
const Route model_anatomy_record{.method = "GET",
                                 .path = "/app/models/{model}/anatomy",
                                 .scope = Scope::person,
                                 .summary = "what a model consists of: its tensors, and the operations that read them",
                                 .parameter = "the model's name",
                                 .handle = handle};

}  // namespace ingle::server
