// POST /api/embeddings: one text to a vector, in Ollama's older form.
#include "server/api/embedding.h"
#include "server/api/ollama.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  if (const auto error = check_embeds(*model)) return call.fail(*error);
  read_keep_alive(reader, call);
  const std::string prompt = reader.text("prompt").value_or("");
  if (reader.error()) return call.fail(*reader.error());
  if (prompt.empty())  // how clients ask for a model to be loaded: it is
    return call.respond({{"embedding", base::Json::array()}});
  auto tokens = model->tokenize(prompt, true, false);
  if (!tokens) return call.fail(api_error(tokens.error(), "prompt"));
  Texts texts{{std::move(tokens).value()}};
  const size_t cut = cut_to_context(*model, texts);
  embed(call, *model, std::move(texts), [cut](const core::EmbeddingResult& result) {
    return base::Json{{"embedding", numbers_json(result.embeddings)}, {"truncated", cut}};
  });
}

constexpr Field kFields[] = {
    {"model", kText, "an encoder of GET /api/tags"},
    {"prompt", kText, "the text; beyond the context it is cut, and the answer's `truncated` is 1"},
    {"options", "", Use::hint},
    {"keep_alive", kKeepAlive, "how long the model stays in memory: seconds, or \"5m\"; below 0: for ever"},
};

}  // namespace

extern const Route ollama_embeddings_record;
const Route ollama_embeddings_record{.method = "POST",
                                     .path = "/api/embeddings",
                                     .family = Family::ollama,
                                     .summary = "turn a text into a vector, in Ollama's older form",
                                     .fields = kFields,
                                     .handle = handle};

}  // namespace ingle::server
