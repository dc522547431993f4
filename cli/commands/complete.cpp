// ingle __complete KIND: what the shell completion scripts ask for while a person types. Silent on failure.
#include <algorithm>

#include "cli/models.h"
#include "cli/settings.h"

namespace ingle::cli {
namespace {

base::Status run(Session& session) {
  std::string out;
  if (session.argument(0) == "models") {
    std::vector<std::string> names;
    const auto store = open_store(session);
    if (!store) return {};
    if (const auto installed = store->list()) {
      for (const store::InstalledModel& model : *installed) names.push_back(model.name);
    }
    for (const store::CatalogueEntry& entry : store->catalogue().entries()) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names) out += name + "\n";
  } else if (session.argument(0) == "settings") {
    for (const Option& option : all_settings()) out += std::string(option.name) + "\n";
  }
  return session.terminal.out(out);
}

constexpr Argument arguments[] = {{.name = "KIND", .help = "models or settings", .required = true}};

}  // namespace

extern const Command complete_record;
const Command complete_record{
    .name = "__complete",
    .summary = "words for shell completion",
    .arguments = arguments,
    .hidden = true,
    .tolerates_config = true,
    .run = run,
};

}  // namespace ingle::cli
