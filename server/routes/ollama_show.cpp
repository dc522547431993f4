// POST /api/show: one model.
#include "server/api/ollama_model.h"
#include "server/api/route.h"
#include "store/known_templates.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  const assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  const core::EngineInfo& info = model->info();
  base::Json json = ollama_model_json(stored_of(call, *model), call.model);
  json.erase("name");
  json.erase("model");
  const assistant::ModelFacts& facts = model->facts();
  json["template"] = facts.chat_template;
  if (!facts.chat_template.empty()) json["template_known"] = !store::publisher_of_template(facts.chat_template).empty();
  json["capabilities"] = base::Json::array({info.is_encoder() ? "embedding" : "completion"});
  // A template that knows no tools gets them as text.
  if (!info.is_encoder() && !facts.chat_template.empty()) json["capabilities"].push_back("tools");
  if (facts.template_thinks) json["capabilities"].push_back("thinking");
  const std::string& architecture = info.architecture;
  json["model_info"] = {{"general.architecture", architecture},
                        {"general.parameter_count", info.parameters},
                        {architecture + ".context_length", info.trained_context_length},
                        {architecture + ".block_count", info.layers},
                        {architecture + ".embedding_length", info.width},
                        {architecture + ".attention.head_count", info.heads},
                        {architecture + ".attention.head_count_kv", info.kv_heads}};
  if (info.is_encoder()) json["model_info"][architecture + ".pooling"] = info.pooling;
  call.respond(json);
}

constexpr Field kFields[] = {
    {"model", kText, "a name of GET /api/tags"},
    {"verbose", "", Use::hint},
};

}  // namespace

extern const Route ollama_show_record;
const Route ollama_show_record{.method = "POST",
                               .path = "/api/show",
                               .family = Family::ollama,
                               .summary = "describe a model, in Ollama's form",
                               .fields = kFields,
                               .handle = handle};

}  // namespace ingle::server
