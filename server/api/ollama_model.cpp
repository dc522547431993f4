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

base::Json ollama_model_json(const assistant::ModelService& model) {
  const core::EngineInfo& info = model.info();
  const auto loaded = static_cast<std::time_t>(model.loaded_at());
  std::tm utc = {};
  gmtime_r(&loaded, &utc);
  char time[32];
  std::strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {{"name", model.name()},
          {"model", model.name()},
          {"modified_at", time},
          {"size", info.weight_bytes},
          {"digest", ""},
          {"details",
           {{"parent_model", ""},
            {"format", "gguf"},
            {"family", info.architecture},
            {"families", base::Json::array({info.architecture})},
            {"parameter_size", parameter_size(info.parameters)},
            {"quantization_level", info.quantization}}}};
}

}  // namespace ingle::server
