// POST /v1/rerank: which documents fit a query best, in the form of Jina's, Cohere's and llama.cpp's APIs. A reranker
// reads each document together with the query; of another encoder, the cosine of their embeddings counts.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "server/api/embedding.h"

namespace ingle::server {
namespace {

struct Question {
  std::string query;
  std::vector<std::string> documents;
  size_t top = 0;
  bool return_documents = false;
};

/// Strings, or objects with a text.
std::vector<std::string> read_documents(Reader& reader) {
  std::vector<std::string> documents;
  const base::Json* list = reader.array("documents");
  if (reader.error() || list == nullptr) return documents;
  for (const base::Json& item : *list) {
    const base::Json* text = &item;
    if (item.is_object() && item.size() == 1 && item.contains("text")) text = &item["text"];
    if (!text->is_string() || list->size() > kMostInputs) {
      reader.fail("documents", "'documents' must be an array of at most " + std::to_string(kMostInputs) +
                                   " strings, or objects {\"text\": string}");
      return {};
    }
    documents.push_back(text->get<std::string>());
  }
  if (documents.empty()) reader.fail("documents", "'documents' is empty");
  return documents;
}

Question read_question(Reader& reader) {
  Question question;
  question.query = reader.text("query").value_or("");
  question.documents = read_documents(reader);
  question.top = static_cast<size_t>(reader.integer("top_n").value_or(INT32_MAX));
  question.return_documents = reader.boolean("return_documents").value_or(false);
  return question;
}

base::Result<Texts> texts_of(const Question& question, assistant::ModelService& model) {
  Texts texts;
  if (model.info().pooling == "rank") {
    for (const std::string& document : question.documents) {
      INGLE_TRY(core::EmbeddingText pair, model.pair(question.query, document));
      texts.push_back(std::move(pair));
    }
    return texts;
  }
  INGLE_TRY(auto query, model.tokenize(question.query, true, false));
  texts.push_back({std::move(query)});
  for (const std::string& document : question.documents) {
    INGLE_TRY(auto tokens, model.tokenize(document, true, false));
    texts.push_back({std::move(tokens)});
  }
  return texts;
}

/// By document: from 0 to 1 of a reranker, whose score is the logarithm of odds; a cosine else.
std::vector<float> scores_of(const assistant::ModelService& model, std::span<const float> results) {
  std::vector<float> scores;
  if (model.info().pooling == "rank") {
    for (const float score : results) scores.push_back(1.0f / (1.0f + std::exp(-score)));
    return scores;
  }
  const size_t width = model.info().embedding_width;
  for (size_t at = width; at < results.size(); at += width)
    scores.push_back(std::inner_product(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(width),
                                        results.begin() + static_cast<std::ptrdiff_t>(at), 0.0f));
  return scores;
}

base::Json answer(const Question& question, const assistant::ModelService& model, const core::EmbeddingResult& result) {
  const std::vector<float> scores = scores_of(model, result.embeddings);
  const base::Json numbers = numbers_json(scores);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(std::min(order.size(), question.top));
  base::Json results = base::Json::array();
  for (const size_t index : order) {
    base::Json entry{{"index", index}, {"relevance_score", numbers[index]}};
    if (question.return_documents) entry["document"] = {{"text", question.documents[index]}};
    results.push_back(std::move(entry));
  }
  return {
      {"object", "list"},
      {"model", model.name()},
      {"results", std::move(results)},
      {"usage", {{"prompt_tokens", result.stats.tokens}, {"total_tokens", result.stats.tokens}}},
      {"timings", embedding_timings(model, result.stats)},
  };
}

void handle(Call& call) {
  Reader reader(call.body);
  assistant::ModelService* model = model_of(call, reader);
  if (model == nullptr) return;
  if (!model->info().is_encoder())
    if (const auto error = check_embeds(*model)) return call.fail(*error);
  Question question = read_question(reader);
  if (reader.error()) return call.fail(*reader.error());
  auto texts = texts_of(question, *model);
  if (!texts) return call.fail(api_error(texts.error(), "model"));
  if (const auto error = check_lengths(*model, *texts, "documents")) return call.fail(*error);
  embed(call, *model, std::move(texts).value(),
        [model, question = std::move(question)](const core::EmbeddingResult& result) {
          return answer(question, *model, result);
        });
}

constexpr Field kFields[] = {
    {"model", kText, "an encoder of GET /v1/models; may be left out where there is one model"},
    {"query", kText, "what is looked for", Use::required},
    {"documents",
     array(R"({"anyOf": [{"type": "string"}, {"type": "object", "properties": {"text": {"type": "string"}},
     "required": ["text"], "additionalProperties": false}]})",
           1, kMostInputs),
     "texts, or objects {text}", Use::required},
    {"top_n", integer(1), "so many of the best; without it all"},
    {"return_documents", kBoolean, "whether results have their document's text"},
    {"user", "", Use::hint},
    {"truncation", "a text beyond the context is an error", Use::refused},
    {"max_tokens_per_doc", "a text beyond the context is an error", Use::refused},
    {"max_chunks_per_doc", "documents are not cut into pieces", Use::refused},
    {"rank_fields", "documents have one text", Use::refused},
};

}  // namespace

extern const Route rerank_record;
const Route rerank_record{.method = "POST",
                          .path = "/v1/rerank",
                          .summary = "sort documents by how well they fit a query",
                          .fields = kFields,
                          .handle = handle};

}  // namespace ingle::server
