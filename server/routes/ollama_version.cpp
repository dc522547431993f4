// GET /api/version
#include "server/api/route.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  call.respond({{"version", INGLE_VERSION}});
}

}  // namespace

extern const Route ollama_version_record;
const Route ollama_version_record{.method = "GET",
                                  .path = "/api/version",
                                  .family = Family::ollama,
                                  .scope = Scope::none,
                                  .summary = "the version of this program",
                                  .handle = handle};

}  // namespace ingle::server
