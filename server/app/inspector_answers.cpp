#include "server/app/inspector_answers.h"

#include <cmath>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "core/engine/text_stream.h"
#include "server/app/inspector.h"

namespace ingle::server {

using base::Error;
using base::ErrorCode;
using base::Json;

void put_text(Json& json, const std::string& bytes) {
  const bool whole = base::is_valid_utf8(bytes);
  json["text"] = whole ? bytes : core::replace_invalid_utf8(bytes);
  if (whole) return;
  json["bytes"] = Json::array();
  for (const char byte : bytes) json["bytes"].push_back(static_cast<unsigned char>(byte));
}

void ask_model(Call& call, const std::string& model, std::function<ModelAnswer(assistant::ModelService&)> question) {
  const assistant::Model found = call.pool->find(model);
  if (!found)
    return call.fail(api_error(Error{ErrorCode::not_found, "the model is not in memory; a reply from it loads it"}));
  call.at_model(model, [call, found, question = std::move(question)]() mutable {
    auto answer = question(*found);
    if (!answer) return call.fail(api_error(answer.error()));
    HttpResponse response = call.response("application/json");
    response.body = std::move(answer).value();
    call.exchange->respond(std::move(response));
  });
}

void ask_inspected(Call& call, int64_t message,
                   std::function<ModelAnswer(assistant::ModelService&, uint64_t key)> question) {
  const auto place = call.inspector->place(message);
  if (!place) return call.fail(api_error(place.error()));
  ask_model(call, place->model, [key = place->key, question = std::move(question)](assistant::ModelService& model) {
    return question(model, key);
  });
}

ModelAnswer lens_json(assistant::ModelService& model, uint64_t key, uint32_t token, uint32_t top) {
  INGLE_TRY(const auto layers, model.lens(key, token, top));
  std::vector<core::TokenId> tokens;
  for (const core::LensLayer& layer : layers)
    for (const core::TokenProbability& each : layer.likeliest) tokens.push_back(each.token);
  INGLE_TRY(const auto spelled, model.spell(tokens));
  Json json = {{"token", token}, {"layers", Json::array()}};
  size_t next = 0;
  for (const core::LensLayer& layer : layers) {
    Json told = {{"name", layer.name},
                 {"entropy", layer.entropy},
                 {"probability", layer.probability},
                 {"rank", layer.rank},
                 {"top", Json::array()}};
    for (const core::TokenProbability& each : layer.likeliest) {
      Json of = {{"id", each.token}, {"probability", each.probability}};
      put_text(of, spelled[next++].bytes);
      told["top"].push_back(std::move(of));
    }
    json["layers"].push_back(std::move(told));
  }
  return to_text(json);
}

ModelAnswer attention_json(assistant::ModelService& model, uint64_t key, uint32_t token, uint32_t layer) {
  INGLE_TRY(const core::AttentionWeights found, model.attention(key, token, layer));
  Json heads = Json::array();
  const size_t count = found.position + 1 - found.first;
  for (uint32_t head = 0; head < found.heads; ++head) {
    Json weights = Json::array();
    // Five digits are more than a picture shows, and a quarter of the bytes.
    for (size_t i = 0; i < count; ++i)
      weights.push_back(std::round(double{found.weights[head * count + i]} * 1e5) / 1e5);
    heads.push_back(std::move(weights));
  }
  return to_text({{"token", token},
                  {"layer", layer},
                  {"position", found.position},
                  {"first", found.first},
                  {"heads", std::move(heads)}});
}

ModelAnswer memory_json(assistant::ModelService& model) {
  INGLE_TRY(const core::MemoryMap map, model.memory_map());
  Json buffers = Json::array(), states = Json::array();
  for (const core::MemoryMap::Buffer& buffer : map.buffers)
    buffers.push_back({{"name", buffer.name},
                       {"offset", buffer.offset},
                       {"bytes", buffer.bytes},
                       {"first", buffer.first_phase},
                       {"last", buffer.last_phase}});
  for (const core::MemoryMap::Pages& pages : map.states)
    states.push_back({{"window", pages.window},
                      {"page_bytes", pages.page_bytes},
                      {"page_positions", pages.page_positions},
                      {"capacity", pages.users.size()},
                      {"users", pages.users}});
  return to_text(
      {{"model", model.name()},
       {"weights",
        {{"bytes", map.weight_bytes}, {"streamed_bytes", map.streamed_bytes}, {"from", model.info().weights}}},
       {"arena", {{"bytes", map.arena_bytes}, {"steps", map.phases}, {"buffers", std::move(buffers)}}},
       {"state", std::move(states)}});
}

}  // namespace ingle::server
