// A model as Ollama's lists show it.
#pragma once

#include <string>

#include "assistant/inference/model_pool.h"
#include "base/json.h"
#include "server/api/route.h"
#include "store/store.h"

namespace ingle::server {

/// "494M", "1.5B".
std::string parameter_size(uint64_t parameters);
/// {name, model, modified_at, size, digest, details}; details are known where the model is in memory.
base::Json ollama_model_json(const store::InstalledModel& stored, const assistant::Model& model);
/// A model that is in memory, as the store knows it.
store::InstalledModel stored_of(const Call& call, const assistant::ModelService& model);
/// When it was installed, in seconds since the epoch; 0 where that is not known.
int64_t installed_seconds(const store::InstalledModel& stored);

}  // namespace ingle::server
