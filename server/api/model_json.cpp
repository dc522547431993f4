#include "server/api/model_json.h"

#include "server/api/ollama_model.h"
#include "store/known_templates.h"

namespace ingle::server {

base::Json model_json(const store::InstalledModel& stored, const assistant::Model& model) {
  base::Json json = {
      {"id", stored.name}, {"object", "model"}, {"created", installed_seconds(stored)}, {"owned_by", "local"}};
  if (!model) return json;
  const core::EngineInfo& info = model->info();
  json["created"] = model->facts().loaded_at;
  json["meta"] = {{"architecture", info.architecture},
                  {"parameters", info.parameters},
                  {"quantization", info.quantization},
                  {"vocabulary_size", info.vocabulary_size},
                  {"context_length", info.context_length},
                  {"trained_context_length", info.trained_context_length},
                  {"weight_bytes", info.weight_bytes},
                  {"device", "cpu"},
                  {"isa", info.isa}};
  if (const std::string& text = model->facts().chat_template; !text.empty())
    json["meta"]["template_known"] = !store::publisher_of_template(text).empty();
  if (info.is_encoder()) {
    json["meta"]["pooling"] = info.pooling;
    json["meta"]["embedding_width"] = info.embedding_width;
  }
  return json;
}

}  // namespace ingle::server
