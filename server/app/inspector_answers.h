// What the inspector's routes ask a model, and how they tell it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/app/routes.h"

namespace ingle::server {

/// JSON text.
using ModelAnswer = base::Result<std::string>;

/// Answers with what `question` says of the model, on a thread of the model's, where it is in memory.
void ask_model(Call& call, const std::string& model, std::function<ModelAnswer(assistant::ModelService&)> question);
/// The same of a reply that was looked at, by the key that the model knows it by.
void ask_inspected(Call& call, int64_t message,
                   std::function<ModelAnswer(assistant::ModelService&, uint64_t key)> question);

ModelAnswer lens_json(assistant::ModelService& model, uint64_t key, uint32_t token, uint32_t top);
ModelAnswer attention_json(assistant::ModelService& model, uint64_t key, uint32_t token, uint32_t layer);
ModelAnswer memory_json(assistant::ModelService& model);

/// A token's bytes as `text` and, where they are no UTF-8 by themselves, as `bytes`.
void put_text(base::Json& json, const std::string& bytes);

}  // namespace ingle::server
