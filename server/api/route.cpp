#include "server/api/route.h"

namespace ingle::server {

void Call::submitted() const {
  if (key_is_gone && key_is_gone()) pool->forget(principal);
}

HttpResponse Call::response(std::string content_type) const {
  HttpResponse response;
  response.content_type = std::move(content_type);
  std::string names;
  for (const std::string& name : unused) names += (names.empty() ? "" : ", ") + name;
  response.headers = headers;
  if (!names.empty()) response.headers.emplace_back("x-ingle-unused", names);
  return response;
}

void Call::respond(const base::Json& json, int status) {
  HttpResponse answer = response("application/json");
  answer.status = status;
  answer.body = to_text(json) + "\n";
  exchange->respond(std::move(answer));
}

void Call::fail(const ApiError& error) {
  exchange->respond(error_response(family, error));
}

assistant::ModelService* model_of(Call& call, Reader& reader) {
  const auto name = reader.text("model");
  if (!reader.error() && call.model) return call.model.get();
  if (!reader.error() && !name) reader.require("model");
  if (reader.error()) {
    call.fail(*reader.error());
    return nullptr;
  }
  std::string known;
  for (const store::InstalledModel& model : call.stored->list()) known += (known.empty() ? "" : ", ") + model.name;
  call.fail({404,
             "the model '" + name->substr(0, 128) + "' is not served here; there is " + known,
             "model",
             "model_not_found",
             {}});
  return nullptr;
}

core::SchedulerStats stats_of(assistant::ModelService& model) {
  const auto stats = model.stats();
  return stats ? *stats : core::SchedulerStats();
}

}  // namespace ingle::server
