// A model as lists show it.
#pragma once

#include "assistant/inference/model_service.h"
#include "base/json.h"

namespace ingle::server {

/// OpenAI's model object, with what others add to it.
inline base::Json model_json(const assistant::ModelService& model) {
  const core::EngineInfo& info = model.info();
  base::Json json{{"id", model.name()},
                  {"object", "model"},
                  {"created", model.loaded_at()},
                  {"owned_by", "local"},
                  {"meta",
                   {{"architecture", info.architecture},
                    {"parameters", info.parameters},
                    {"quantization", info.quantization},
                    {"vocabulary_size", info.vocabulary_size},
                    {"context_length", info.context_length},
                    {"trained_context_length", info.trained_context_length},
                    {"weight_bytes", info.weight_bytes},
                    {"device", "cpu"},
                    {"isa", info.isa}}}};
  if (info.is_encoder()) {
    json["meta"]["pooling"] = info.pooling;
    json["meta"]["embedding_width"] = info.embedding_width;
  }
  return json;
}

}  // namespace ingle::server
