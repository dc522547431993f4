// POST /v1/embeddings: texts to vectors, in OpenAI's form.
#include "server/api/embedding.h"

namespace ingle::server {
namespace {

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  if (const auto error = check_embeds(*model)) return call.fail(*error);
  const size_t dimensions = read_dimensions(reader, *model);
  const std::string encoding = reader.text("encoding_format").value_or("float");
  Texts texts = read_input(reader, "input", *model, true);
  if (!reader.error() && texts.empty()) reader.fail("input", "'input' has no text");
  if (reader.error()) return call.fail(*reader.error());
  if (const auto error = check_lengths(*model, texts, "input")) return call.fail(*error);
  embed(call, *model, std::move(texts), [model, dimensions, encoding](const core::EmbeddingResult& result) {
    const size_t width = model->info().embedding_width;
    base::Json data = base::Json::array();
    for (size_t i = 0; i * width < result.embeddings.size(); ++i) {
      const std::vector<float> vector =
          first_values(std::span(result.embeddings).subspan(i * width, width), dimensions);
      data.push_back({{"object", "embedding"},
                      {"index", i},
                      {"embedding", encoding == "base64" ? base::Json(base64(vector)) : numbers_json(vector)}});
    }
    return base::Json{
        {"object", "list"},
        {"data", std::move(data)},
        {"model", model->name()},
        {"usage", {{"prompt_tokens", result.stats.tokens}, {"total_tokens", result.stats.tokens}}},
        {"timings", embedding_timings(*model, result.stats)},
    };
  });
}

constexpr std::string_view kEncodings[] = {"float", "base64"};
constexpr Type kInput = described(R"({"anyOf": [{"type": "string"},
  {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"type": "string"}},
  {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}},
  {"type": "array", "minItems": 1, "maxItems": 2048,
   "items": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}}}]})");

constexpr Field kFields[] = {
    {"model", kText, "an encoder of GET /v1/models; may be left out where there is one model"},
    {"input", kInput, "a text, several, token ids with the special ones, or several lists of these; at most 2048",
     Use::required},
    {"encoding_format", one_of(kEncodings), "float: numbers; base64: little-endian 32-bit floats"},
    {"dimensions", integer(1, kMostDimensions),
     "so many of a vector's first values, at a length of 1 again; for models that were trained for it"},
    {"user", "", Use::hint},
};

}  // namespace

extern const Route embeddings_record;
const Route embeddings_record{.method = "POST",
                              .path = "/v1/embeddings",
                              .summary = "turn texts into vectors",
                              .fields = kFields,
                              .handle = handle};

}  // namespace ingle::server
