// DELETE /app/models/{model}: removes a model from the store.
#include "server/app/catalogue.h"
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto name = idle_model(call, call.parameter);
  if (!name) return;
  const auto removed = remove_model(call, *name);
  if (!removed) return call.fail(api_error(removed.error(), "model"));
  call.respond({{"bytes_freed", removed->bytes_freed}});
}

}  // namespace

extern const Route model_delete_record;
const Route model_delete_record{.method = "DELETE",
                                .path = "/app/models/{model}",
                                .scope = Scope::person,
                                .summary = "remove a model; it is refused while the model writes an answer",
                                .parameter = "the model's name",
                                .handle = handle};

}  // namespace ingle::server
