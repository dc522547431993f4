// DELETE /app/folders/{id}
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  if (const auto id = path_id(call)) respond_with(call, call.conversations->kept().remove_folder(*id));
}

}  // namespace

extern const Route folder_delete_record;
const Route folder_delete_record{.method = "DELETE",
                                 .path = "/app/folders/{id}",
                                 .scope = Scope::person,
                                 .summary = "delete a folder; its conversations stay",
                                 .parameter = "its number",
                                 .handle = handle};

}  // namespace ingle::server
