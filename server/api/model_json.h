// A model as OpenAI's lists show it.
#pragma once

#include "assistant/inference/model_pool.h"
#include "base/json.h"
#include "store/store.h"

namespace ingle::server {

/// OpenAI's model object, with what others add to it. `model`: where it is in memory, else null.
base::Json model_json(const store::InstalledModel& stored, const assistant::Model& model);

}  // namespace ingle::server
