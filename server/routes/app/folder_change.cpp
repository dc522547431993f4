// PATCH /app/folders/{id}
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  Reader reader(call.body);
  respond_with(call, call.conversations->kept().rename_folder(*id, reader.text("name").value_or("")));
}

constexpr Field kFields[] = {{"name", kText, "what it is called from now on", Use::required}};

}  // namespace

extern const Route folder_change_record;
const Route folder_change_record{.method = "PATCH",
                                 .path = "/app/folders/{id}",
                                 .scope = Scope::person,
                                 .summary = "rename a folder",
                                 .parameter = "its number",
                                 .fields = kFields,
                                 .asks_model = false,
                                 .handle = handle};

}  // namespace ingle::server
