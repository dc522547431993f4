// GET /app/attachments/{id}: the file, which no browser shows.
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  auto file = call.conversations->of(*id).attachment(*id);
  if (!file) return call.fail(api_error(file.error()));
  call.exchange->respond(download(call, file->name, "application/octet-stream", std::move(file->content)));
}

}  // namespace

extern const Route attachment_record;
const Route attachment_record{.method = "GET",
                              .path = "/app/attachments/{id}",
                              .scope = Scope::person,
                              .summary = "a file that came with a message",
                              .parameter = "its number",
                              .answers = "application/octet-stream",
                              .handle = handle};

}  // namespace ingle::server
