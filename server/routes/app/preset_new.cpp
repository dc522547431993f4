// POST /app/presets
#include "server/app/routes.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::Preset preset{.name = reader.text("name").value_or(""), .system = reader.text("system").value_or("")};
  if (const base::Json* parameters = reader.object("parameters")) preset.parameters = *parameters;
  respond_with(call, call.conversations->kept().add_preset(preset));
}

constexpr Field kFields[] = {
    {"name", kText, "what it is called", Use::required},
    {"system", kText, "what the model is told first"},
    {"parameters", object_of(kParameterFields), "of sampling"},
};

}  // namespace

extern const Route preset_new_record;
const Route preset_new_record{.method = "POST",
                              .path = "/app/presets",
                              .scope = Scope::person,
                              .summary = "keep a system prompt and sampling under a name",
                              .fields = kFields,
                              .asks_model = false,
                              .handle = handle};

}  // namespace ingle::server
