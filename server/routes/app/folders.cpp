// GET /app/folders
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto all = call.conversations->kept().folders();
  if (!all) return call.fail(api_error(all.error()));
  base::Json list = base::Json::array();
  for (const assistant::Folder& each : *all) list.push_back(to_json(each));
  call.respond({{"folders", std::move(list)}});
}

}  // namespace

extern const Route folders_record;
const Route folders_record{.method = "GET",
                           .path = "/app/folders",
                           .scope = Scope::person,
                           .summary = "list folders, by name",
                           .handle = handle};

}  // namespace ingle::server
