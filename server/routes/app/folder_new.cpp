// POST /app/folders
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  respond_with(call, call.conversations->kept().add_folder(reader.text("name").value_or("")));
}

constexpr Field kFields[] = {{"name", kText, "what it is called", Use::required}};

}  // namespace

extern const Route folder_new_record;
const Route folder_new_record{.method = "POST",
                              .path = "/app/folders",
                              .scope = Scope::person,
                              .summary = "make a folder",
                              .fields = kFields,
                              .asks_model = false,
                              .handle = handle};

}  // namespace ingle::server
