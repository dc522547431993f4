// GET /app/models/{model}/comparison: how far a model's tensors are from those of another file of the same model.
#include <utility>

#include "server/api/answer.h"
#include "server/app/model_answers.h"

namespace ingle::server {
namespace {

constexpr Field kQuery[] = {
    {"reference", kText, "the name of the model that it is compared with", Use::required},
};

void compare(Call& call, const std::filesystem::path& model, const std::filesystem::path& reference) {
  const auto stop = when_gone(call);
  const auto tell = [&](std::string_view type, base::Json event) {
    event["type"] = type;
    call.exchange->write(sse(event));
  };
  call.exchange->begin(call.response("text/event-stream"), ": \n\n");
  const auto compared =
      call.app->viewer().compare(model, reference, [&](const base::Json& pair) { tell("pair", pair); }, stop);
  if (compared) tell("end", *compared);
  if (!compared) tell("error", {{"message", compared.error().message}});
  call.exchange->end();
}

void handle(Call& call) {
  const auto query = checked_query(call, kQuery);
  if (!query) return;
  const auto model = model_file(call, call.parameter);
  if (!model) return call.fail(api_error(model.error(), "model"));
  const auto reference = model_file(call, Reader(*query).text("reference").value_or(""));
  if (!reference) return call.fail(api_error(reference.error(), "reference"));
  call.in_background([call, model = *model, reference = *reference]() mutable { compare(call, model, reference); });
}

}  // namespace

extern const Route model_comparison_record;
const Route model_comparison_record{
    .method = "GET",
    .path = "/app/models/{model}/comparison",
    .scope = Scope::person,
    .summary = "how far each tensor is from that of another file of the same model, as server-sent events",
    .parameter = "the model's name",
    .answers = "text/event-stream",
    .handle = handle};

}  // namespace ingle::server
