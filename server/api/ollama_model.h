// A model as Ollama's lists show it.
#pragma once

#include <string>

#include "assistant/inference/model_service.h"
#include "base/json.h"

namespace ingle::server {

/// "494M", "1.5B".
std::string parameter_size(uint64_t parameters);
/// {name, model, modified_at, size, digest, details}
base::Json ollama_model_json(const assistant::ModelService& model);

}  // namespace ingle::server
