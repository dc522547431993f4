// ingle rm MODEL...
#include "assistant/inference/model_files.h"
#include "cli/models.h"

namespace ingle::cli {
namespace {

using base::Status;

Status run(Session& session) {
  INGLE_TRY(auto store, open_store(session));
  base::Json results = base::Json::array();
  for (const std::string& name : session.arguments) {
    const auto installed = store.resolve(name);
    INGLE_TRY(const store::Store::Removed removed, store.remove(name));
    if (installed && removed.bytes_freed > 0) assistant::remove_kept_files(session.paths.cache, installed->path);
    results.push_back({{"name", removed.name}, {"bytes_freed", removed.bytes_freed}});
    if (session.json()) continue;
    const std::string freed =
        removed.bytes_freed > 0 ? show_bytes(removed.bytes_freed) + " freed" : "its file serves another name and stays";
    INGLE_CHECK(session.terminal.out(removed.name + ": removed, " + freed + "\n"));
  }
  return session.json() ? session.out_json(results) : Status();
}

constexpr Argument arguments[] = {{.name = "MODEL",
                                   .help = "the name of an installed model",
                                   .type = ValueType::model,
                                   .required = true,
                                   .repeatable = true,
                                   .asked = "installed"}};
constexpr Option options[] = {json_option};

}  // namespace

extern const Command rm_record;
const Command rm_record{
    .name = "rm",
    .summary = "remove installed models",
    .description =
        "Only what Ingle fetched into its store is removed, never a file of yours that was named by its path.",
    .arguments = arguments,
    .options = options,
    .order = 23,
    .run = run,
};

}  // namespace ingle::cli
