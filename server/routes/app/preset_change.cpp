// PATCH /app/presets/{id}
#include <algorithm>

#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto id = path_id(call);
  if (!id) return;
  auto all = call.conversations->kept().presets();
  if (!all) return call.fail(api_error(all.error()));
  const auto found = std::ranges::find(*all, *id, &assistant::Preset::id);
  if (found == all->end()) return call.fail({404, "there is no preset " + std::to_string(*id), "id", "not_found", {}});
  assistant::Preset preset = *found;
  Reader reader(call.body);
  if (auto name = reader.text("name")) preset.name = *std::move(name);
  if (auto system = reader.text("system")) preset.system = *std::move(system);
  if (const base::Json* parameters = reader.object("parameters")) preset.parameters = *parameters;
  respond_with(call, call.conversations->kept().update_preset(preset));
}

constexpr Field kFields[] = {
    {"name", kText, "what it is called"},
    {"system", kText, "what the model is told first"},
    {"parameters", object_of(kParameterFields), "of sampling"},
};

}  // namespace

extern const Route preset_change_record;
const Route preset_change_record{.method = "PATCH",
                                 .path = "/app/presets/{id}",
                                 .scope = Scope::person,
                                 .summary = "change a preset",
                                 .parameter = "its number",
                                 .fields = kFields,
                                 .asks_model = false,
                                 .handle = handle};

}  // namespace ingle::server
