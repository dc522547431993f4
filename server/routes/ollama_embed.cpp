// POST /api/embed: texts to vectors, in Ollama's form.
#include <chrono>

#include "server/api/embedding.h"
#include "server/api/ollama.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  const auto began = std::chrono::steady_clock::now();
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  if (const auto error = check_embeds(*model)) return call.fail(*error);
  const size_t dimensions = read_dimensions(reader, *model);
  const bool truncate = reader.boolean("truncate").value_or(true);
  read_keep_alive(reader, call);
  Texts texts = read_input(reader, "input", *model, false);
  if (reader.error()) return call.fail(*reader.error());
  size_t cut = 0;
  if (truncate)
    cut = cut_to_context(*model, texts);
  else if (const auto error = check_lengths(*model, texts, "input"))
    return call.fail(*error);
  const auto whole = [model, dimensions, began, cut](const core::EmbeddingResult& result) {
    const size_t width = model->info().embedding_width;
    base::Json embeddings = base::Json::array();
    for (size_t i = 0; i * width < result.embeddings.size(); ++i)
      embeddings.push_back(
          numbers_json(first_values(std::span(result.embeddings).subspan(i * width, width), dimensions)));
    const auto total = std::chrono::steady_clock::now() - began;
    return base::Json{
        {"model", model->name()},
        {"embeddings", std::move(embeddings)},
        {"total_duration", std::chrono::duration_cast<std::chrono::nanoseconds>(total).count()},
        {"load_duration", 0},
        {"prompt_eval_count", result.stats.tokens},
        {"truncated", cut},
        {"timings", embedding_timings(*model, result.stats)},
    };
  };
  if (texts.empty()) return call.respond(whole({}));  // how clients ask for a model to be loaded: it is
  embed(call, *model, std::move(texts), whole);
}

constexpr Type kInput = described(R"({"anyOf": [{"type": "string"},
  {"type": "array", "maxItems": 2048, "items": {"type": "string"}}]})");

constexpr Field kFields[] = {
    {"model", kText, "an encoder of GET /api/tags"},
    {"input", kInput, "a text, or several; at most 2048", Use::required},
    {"truncate", kBoolean,
     "texts beyond the context are cut, and the answer's `truncated` says how many (the default); false: "
     "they are an error"},
    {"dimensions", integer(1, kMostDimensions),
     "so many of a vector's first values, at a length of 1 again; for models that were trained for it"},
    {"options", "", Use::hint},
    {"keep_alive", kKeepAlive, "how long the model stays in memory: seconds, or \"5m\"; below 0: for ever"},
};

}  // namespace

extern const Route ollama_embed_record;
const Route ollama_embed_record{.method = "POST",
                                .path = "/api/embed",
                                .family = Family::ollama,
                                .summary = "turn texts into vectors, in Ollama's form",
                                .fields = kFields,
                                .handle = handle};

}  // namespace ingle::server
