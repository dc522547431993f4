#include "server/api/embedding.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/base64.h"
#include "server/api/answer.h"

namespace ingle::server {
namespace {

/// The decimal number with the fewest digits that is this float.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  double number = value;
  std::from_chars(text, end, number);
  return number;
}

std::optional<std::vector<core::TokenId>> token_ids(const base::Json& list, uint32_t vocabulary) {
  std::vector<core::TokenId> tokens;
  for (const base::Json& item : list) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() >= vocabulary) return std::nullopt;
    tokens.push_back(static_cast<core::TokenId>(item.get<uint64_t>()));
  }
  return tokens;
}

}  // namespace

std::optional<ApiError> check_embeds(const assistant::ModelService& model) {
  if (model.info().pooling == "rank")
    return ApiError{400,
                    "the model '" + model.name() + "' scores pairs of texts and makes no embeddings; use /v1/rerank",
                    "model",
                    "unsupported_model",
                    {}};
  if (model.info().is_encoder()) return std::nullopt;
  return ApiError{400,
                  "the model '" + model.name() +
                      "' writes text and makes no embeddings; serve an encoder, such as all-minilm-l6-v2",
                  "model",
                  "unsupported_model",
                  {}};
}

Texts read_input(Reader& reader, std::string_view name, assistant::ModelService& model, bool ids) {
  Texts texts;
  const base::Json* input = reader.find(name);
  if (reader.error() || input == nullptr) return texts;
  const auto add = [&](const base::Json& item) {
    if (item.is_string()) {
      auto tokens = model.tokenize(item.get_ref<const std::string&>(), true, false);
      if (!tokens) {
        reader.adopt(api_error(tokens.error(), std::string(name)));
        return false;
      }
      texts.push_back({std::move(tokens).value()});
      return true;
    }
    if (!ids || !item.is_array() || item.empty()) return false;
    auto tokens = token_ids(item, model.info().vocabulary_size);
    if (!tokens) return false;
    texts.push_back({std::move(*tokens)});
    return true;
  };
  const bool one = input->is_string() || (ids && input->is_array() && !input->empty() && (*input)[0].is_number());
  bool good = one || (input->is_array() && input->size() <= kMostInputs);
  if (one)
    good = add(*input);
  else if (good)
    for (const base::Json& item : *input) good = good && add(item);
  if (!good && !reader.error())
    reader.fail(name, "'" + std::string(name) + "' must be a string or an array of at most " +
                          std::to_string(kMostInputs) + " strings" +
                          (ids ? ", or token ids of this model, or an array of such arrays" : ""));
  return texts;
}

std::optional<ApiError> check_lengths(const assistant::ModelService& model, const Texts& texts,
                                      std::string_view param) {
  const uint32_t context = model.info().context_length;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].tokens.size() <= context) continue;
    return ApiError{400,
                    "this model's context is " + std::to_string(context) + " tokens, and text " + std::to_string(i) +
                        " has " + std::to_string(texts[i].tokens.size()) + "; shorten or split it",
                    std::string(param),
                    "context_length_exceeded",
                    {}};
  }
  return std::nullopt;
}

size_t cut_to_context(const assistant::ModelService& model, Texts& texts) {
  const size_t context = model.info().context_length;
  size_t cut = 0;
  for (core::EmbeddingText& text : texts) {
    if (text.tokens.size() <= context) continue;
    text.tokens.erase(text.tokens.begin() + static_cast<std::ptrdiff_t>(context - 1), text.tokens.end() - 1);
    ++cut;
  }
  return cut;
}

size_t read_dimensions(Reader& reader, const assistant::ModelService& model) {
  const uint32_t width = model.info().embedding_width;
  const int64_t wanted = reader.integer("dimensions").value_or(width);
  if (wanted > width)
    reader.fail("dimensions", "'dimensions' is more than the " + std::to_string(width) + " that this model has");
  return static_cast<size_t>(wanted);
}

std::vector<float> first_values(std::span<const float> vector, size_t count) {
  std::vector<float> values(vector.begin(), vector.begin() + static_cast<std::ptrdiff_t>(count));
  if (count == vector.size()) return values;
  double squares = 0;
  for (const float value : values) squares += double{value} * value;
  const double length = std::max(std::sqrt(squares), 1e-30);
  for (float& value : values) value = static_cast<float>(value / length);
  return values;
}

base::Json numbers_json(std::span<const float> values) {
  base::Json json = base::Json::array();
  for (const float value : values) json.push_back(shortest(value));
  return json;
}

std::string base64(std::span<const float> values) {
  std::string bytes;
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  return base::to_base64(bytes);
}

void embed(const Call& call, assistant::ModelService& model, Texts texts,
           std::function<base::Json(const core::EmbeddingResult&)> whole) {
  core::EmbeddingRequest request;
  request.texts = std::move(texts);
  request.client = call.client;
  const auto shared = std::make_shared<Call>(call);
  const auto id = model.embed(std::move(request), [shared, whole = std::move(whole)](core::EmbeddingResult&& result) {
    if (result.error)
      shared->fail(api_error(*result.error));
    else
      shared->respond(whole(result));
  });
  if (!id) {
    ApiError error = api_error(id.error());
    if (error.status == 429) error.retry_after_s = stats_of(model).retry_after_s;
    return shared->fail(error);
  }
  shared->exchange->on_gone([&model, id = *id] { model.cancel(id); });
}

base::Json embedding_timings(const assistant::ModelService& model, const core::EmbeddingStats& stats) {
  core::GenerationStats as_prompt;
  as_prompt.prompt_tokens = static_cast<uint32_t>(stats.tokens);
  as_prompt.queue_ms = stats.queue_ms;
  as_prompt.prefill_ms = stats.compute_ms;
  as_prompt.state_bytes = model.info().state_bytes;
  return timings_json(model, as_prompt);
}

}  // namespace ingle::server
