// ingle version
#include "cli/version.h"

#include "cli/session.h"

namespace ingle::cli {
namespace {

base::Status run(Session& session) {
  if (session.json()) return session.out_json({{"version", std::string(version_text())}});
  return session.terminal.out("ingle " + std::string(version_text()) + "\n");
}

constexpr Option options[] = {json_option};

}  // namespace

extern const Command version_record;
const Command version_record{
    .name = "version",
    .summary = "print the version",
    .options = options,
    .order = 92,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
