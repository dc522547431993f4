#include "server/api/ollama_model.h"

#include <cstdio>
#include <ctime>

namespace ingle::server {

std::string parameter_size(uint64_t parameters) {
  char text[32];
  const bool billions = parameters >= 1'000'000'000;
  std::snprintf(text, sizeof(text), billions ? "%.1fB" : "%.0fM",
                static_cast<double>(parameters) / (billions ? 1e9 : 1e6));
  return text;
}

store::InstalledModel stored_of(const Call& call, const assistant::ModelService& model) {
  if (auto stored = call.stored->find(model.name()); stored.ok()) return std::move(stored).value();
  store::InstalledModel removed;  // meanwhile
  removed.name = model.name();
  return removed;
}

int64_t installed_seconds(const store::InstalledModel& stored) {
  std::tm utc = {};
  const char* const end = ::strptime(stored.installed_at.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return end == nullptr ? 0 : static_cast<int64_t>(::timegm(&utc));
}

base::Json ollama_model_json(const store::InstalledModel& stored, const assistant::Model& model) {
  base::Json details = {{"parent_model", ""},   {"format", "gguf"},
                        {"family", ""},         {"families", base::Json::array()},
                        {"parameter_size", ""}, {"quantization_level", ""}};
  if (model) {
    const core::EngineInfo& info = model->info();
    details["family"] = info.architecture;
    details["families"] = base::Json::array({info.architecture});
    details["parameter_size"] = parameter_size(info.parameters);
    details["quantization_level"] = info.quantization;
  }
  const std::string epoch = "1970-01-01T00:00:00Z";  // Go's clients read it as a time
  return {{"name", stored.name},
          {"model", stored.name},
          {"modified_at", stored.installed_at.empty() ? epoch : stored.installed_at},
          {"size", stored.bytes},
          {"digest", stored.sha256},
          {"details", std::move(details)}};
}

}  // namespace ingle::server
