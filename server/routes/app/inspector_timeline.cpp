// GET /app/timeline/{message}: when each operation ran.
#include "server/app/inspector_answers.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto message = path_id(call);
  if (!message) return;
  ask_inspected(call, *message, [](assistant::ModelService& model, uint64_t key) { return model.timeline(key); });
}

}  // namespace

extern const Route inspector_timeline_record;
const Route inspector_timeline_record{
    .method = "GET",
    .path = "/app/timeline/{message}",
    .scope = Scope::person,
    .summary = "when each operation ran while a reply was written, as Chrome and Perfetto read it",
    .parameter = "the reply's number",
    .handle = handle};

}  // namespace ingle::server
