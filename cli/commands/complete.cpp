// ingle __complete KIND: what the shell completion scripts ask for while a person types. Silent on failure.
#include <algorithm>

#include "assistant/tools/tool.h"
#include "cli/models.h"
#include "cli/settings.h"
#include "core/synth/shapes.h"

namespace ingle::cli {
namespace {

std::vector<std::string> model_names(const Session& session, bool installed_only) {
  std::vector<std::string> names;
  const auto store = open_store(session);
  if (!store) return names;
  if (const auto installed = store->list()) {
    for (const store::InstalledModel& model : *installed) names.push_back(model.name);
  }
  if (!installed_only) {
    for (const store::CatalogueEntry& entry : store->catalogue().entries()) names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

base::Status run(Session& session) {
  const std::string kind = session.argument(0);
  std::vector<std::string> words;
  if (kind == "models" || kind == "installed") words = model_names(session, kind == "installed");
  if (kind == "kl-against") {
    words = model_names(session, false);
    words.insert(words.begin(), "reference");
  }
  if (kind == "config") {
    words = {"path", "example"};
    for (const Option& option : all_settings()) words.emplace_back(option.name);
  }
  if (kind == "shapes") {
    for (const core::Shape& shape : core::all_shapes()) words.emplace_back(shape.name);
  }
  if (kind == "tools") {
    for (const assistant::ToolRecord* tool : assistant::tool_records()) words.emplace_back(tool->name);
  }
  std::string out;
  for (const std::string& word : words) out += word + "\n";
  return session.terminal.out(out);
}

constexpr Argument arguments[] = {
    {.name = "KIND", .help = "models, installed, kl-against, config, shapes or tools", .required = true}};

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
