#include "server/app/settings_fields.h"

namespace ingle::server {

void read_settings(const base::Json& body, Reader& reader, assistant::ConversationSettings& settings) {
  if (auto title = reader.text("title")) settings.title = *std::move(title);
  if (const auto folder = reader.integer("folder")) settings.folder = folder;
  if (is_null(body, "folder")) settings.folder.reset();
  if (const auto pinned = reader.boolean("pinned")) settings.pinned = *pinned;
  if (auto model = reader.text("model")) settings.model = *std::move(model);
  if (is_null(body, "model")) settings.model.clear();
  if (auto system = reader.text("system")) settings.system = *std::move(system);
  if (const base::Json* parameters = reader.object("parameters")) {
    settings.parameters = base::Json::object();
    for (const auto& [name, value] : parameters->items())
      if (!value.is_null()) settings.parameters[name] = value;
  }
}

}  // namespace ingle::server
