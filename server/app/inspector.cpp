#include "server/app/inspector.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "server/api/answer.h"
#include "server/app/inspector_answers.h"
#include "server/app/json.h"

namespace ingle::server {
namespace {

using base::Json;

constexpr size_t kKept = 8;  // replies
constexpr uint64_t kLayerBytes = uint64_t{64} << 20, kTimelineBytes = uint64_t{4} << 20;
constexpr std::chrono::seconds kTick{1};

/// -inf is no JSON.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json logprob_json(const core::TokenLogprob& token) {
  Json json = {{"id", token.token}, {"logprob", number(token.logprob)}};
  put_text(json, token.bytes);
  return json;
}

Json to_json(const core::ObservedToken& token) {
  Json json = logprob_json(token);
  json["rank"] = token.rank;
  json["entropy"] = token.entropy;
  json["top"] = Json::array();
  for (const core::TokenLogprob& each : token.likeliest) json["top"].push_back(logprob_json(each));
  json["steps"] = Json::array();
  for (const core::SamplingStep& step : token.steps)
    json["steps"].push_back({{"step", step.name}, {"left", step.left}, {"probability", number(step.probability)}});
  json["allowed"] = token.allowed ? Json(*token.allowed) : Json();
  json["ms"] = token.pass_ms;
  json["rows"] = token.pass_rows;
  json["sequences"] = token.pass_sequences;
  json["guessed"] = token.guessed;
  return json;
}

/// What of the parameters is on.
Json sampling_json(const core::SamplingParams& p) {
  const core::SamplingParams off;
  Json json = {{"temperature", p.temperature}};
  const auto put = [&json](const char* name, auto value, auto without) {
    if (value != without) json[name] = value;
  };
  if (p.temperature > 0) {
    put("top_k", p.top_k, off.top_k);
    put("top_p", p.top_p, off.top_p);
    put("min_p", p.min_p, off.min_p);
    put("typical_p", p.typical_p, off.typical_p);
    put("xtc_probability", p.xtc_probability, off.xtc_probability);
    put("mirostat", p.mirostat, off.mirostat);
    json["seed"] = p.seed;
  }
  put("repeat_penalty", p.repeat_penalty, off.repeat_penalty);
  put("frequency_penalty", p.frequency_penalty, off.frequency_penalty);
  put("presence_penalty", p.presence_penalty, off.presence_penalty);
  put("dry_multiplier", p.dry_multiplier, off.dry_multiplier);
  return json;
}

Json prompt_json(assistant::ModelService& model, const std::vector<core::TokenId>& tokens) {
  Json prompt = Json::array();
  const auto spelled = model.spell(tokens);
  for (size_t i = 0; i < tokens.size() && spelled.ok(); ++i) {
    Json token = {{"id", tokens[i]}, {"special", (*spelled)[i].special}};
    put_text(token, (*spelled)[i].bytes);
    prompt.push_back(std::move(token));
  }
  return prompt;
}

/// Why a model computes with less than all.
Json reasons_json(uint8_t reasons) {
  Json names = Json::array();
  if ((reasons & core::pace_others) != 0) names.push_back("others");
  if ((reasons & core::pace_heat) != 0) names.push_back("heat");
  if ((reasons & core::pace_battery) != 0) names.push_back("battery");
  if ((reasons & core::pace_quota) != 0) names.push_back("quota");
  return names;
}

}  // namespace

void Inspector::open(const std::shared_ptr<Exchange>& exchange, HttpResponse head, Wishes wishes) {
  {
    const std::lock_guard lock(mutex_);
    Json replies = Json::array();
    for (const auto& reply : replies_) replies.push_back(reply->message);
    head.body = sse({{"type", "hello"}, {"replies", std::move(replies)}});
    exchange->begin(std::move(head), ": ping\n\n");
    if (closed_) return exchange->end();
    streams_.push_back({exchange, wishes});
    if (!watches_) {
      if (watching_.joinable()) watching_.join();  // it has ended
      watches_ = true;
      watching_ = std::thread([this] { watch(); });
    }
  }
  exchange->on_gone([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->soon_([weak] {
        if (const auto then = weak.lock()) then->prune();
      });
  });
}

void Inspector::prune() {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const Stream& stream) { return stream.exchange->is_gone(); });
  changed_.notify_all();
}

void Inspector::close() {
  std::vector<Stream> streams;
  std::thread watching;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    streams = std::exchange(streams_, {});
    watching = std::move(watching_);
  }
  changed_.notify_all();
  for (const Stream& stream : streams) stream.exchange->end();
  if (watching.joinable()) watching.join();
}

// With mutex_. Where a reader is too slow, write() calls what on_gone() was given, which comes back only later.
void Inspector::tell(const Json& event) {
  if (!streams_.empty()) tell_text(sse(event));
}

void Inspector::tell_text(const std::string& text) {
  for (const Stream& stream : streams_) stream.exchange->write(text);
}

std::shared_ptr<InspectedReply> Inspector::begin(int64_t conversation, int64_t message, assistant::ModelService& model,
                                                 assistant::GenerationRequest& request) {
  Wishes wishes;
  {
    const std::lock_guard lock(mutex_);
    if (streams_.empty()) return nullptr;
    for (const Stream& stream : streams_) {
      wishes.layers = wishes.layers || stream.wishes.layers;
      wishes.timeline = wishes.timeline || stream.wishes.timeline;
    }
  }
  const core::EngineInfo& info = model.info();
  const auto reply = std::make_shared<Reply>();
  reply->message = message;
  reply->json = {{"message", message},
                 {"conversation", conversation},
                 {"model", model.name()},
                 {"architecture", info.architecture},
                 {"layers", info.layers},
                 {"heads", info.heads},
                 {"kv_heads", info.kv_heads},
                 {"width", info.width},
                 {"context_length", info.context_length},
                 {"prompt", prompt_json(model, request.prompt)},
                 {"cached_tokens", nullptr},
                 {"sampling", sampling_json(request.sampling)},
                 {"grammar", !request.grammar.empty()},
                 {"timeline", wishes.timeline},
                 {"finish", nullptr},
                 {"error", nullptr},
                 {"timings", nullptr},
                 {"observing_ms", 0}};
  // As the engine lays them out: the residual stream before the first layer and after each, and each layer's queries.
  const uint64_t per_token =
      (uint64_t{info.width} * (info.layers + 1) + uint64_t{info.heads} * info.head_dim * info.layers) * sizeof(float);
  if (wishes.layers) reply->layer_tokens = static_cast<uint32_t>(kLayerBytes / std::max<uint64_t>(per_token, 1));
  const std::lock_guard lock(mutex_);
  reply->place = {model.name(), next_key_++};
  request.observation = {.key = reply->place.key,
                         .layer_bytes = wishes.layers ? kLayerBytes : 0,
                         .timeline_bytes = wishes.timeline ? kTimelineBytes : 0};
  std::erase_if(replies_, [&](const auto& other) { return other->message == message; });
  // The engine has room for two answers' layers, and one timeline.
  for (size_t i = 0; i < replies_.size(); ++i) {
    if (i + 1 < replies_.size()) replies_[i]->layer_tokens = 0;
    if (wishes.timeline) replies_[i]->json["timeline"] = false;
  }
  replies_.push_back(reply);
  if (replies_.size() > kKept) replies_.pop_front();
  tell_text("data: {\"type\":\"reply\",\"reply\":" + whole(*reply) + "}\n\n");
  return std::make_shared<InspectedReply>(shared_from_this(), reply);
}

// With mutex_.
std::string Inspector::whole(const Reply& reply) {
  Json json = reply.json;
  const uint32_t kept = std::min(reply.token_count, reply.layer_tokens);
  json["layers_from"] = reply.layer_tokens == 0 ? Json() : Json(reply.token_count - kept);
  std::string text = to_text(json);
  text.pop_back();
  return text + ",\"tokens\":[" + reply.tokens + "]}";
}

base::Result<std::string> Inspector::recording(int64_t message) const {
  const std::lock_guard lock(mutex_);
  for (const auto& reply : replies_)
    if (reply->message == message) return whole(*reply);
  return base::Error{base::ErrorCode::not_found,
                     "of that reply nothing was recorded, or it was forgotten; only what is written while the "
                     "inspector is open can be looked into"};
}

base::Result<Inspector::Place> Inspector::place(int64_t message) const {
  const std::lock_guard lock(mutex_);
  for (const auto& reply : replies_)
    if (reply->message == message) return reply->place;
  return base::Error{base::ErrorCode::not_found, "of that reply nothing was recorded, or it was forgotten"};
}

void Inspector::forget() {
  const std::lock_guard lock(mutex_);
  replies_.clear();
}

// While there are streams.
void Inspector::watch() {
  std::unique_lock lock(mutex_);
  while (!closed_ && !streams_.empty()) {
    lock.unlock();
    const Json event = device_event();
    lock.lock();
    tell(event);
    changed_.wait_for(lock, kTick, [this] { return closed_ || streams_.empty(); });
  }
  watches_ = false;
}

Json Inspector::device_event() {
  const int64_t now = base::monotonic_ns();
  const double seconds = last_ns_ == 0 ? 0 : static_cast<double>(now - std::exchange(last_ns_, now)) * 1e-9;
  last_ns_ = now;
  const auto resident = pool_.resident();
  std::vector<int> own{::getpid()};
  for (const auto& each : resident)
    if (const auto process = each.model->process()) own.push_back(*process);
  const assistant::DeviceReading device = meter_.read(now, own);
  const auto bytes_of = [&](int process) {
    const auto found = device.resident_bytes.find(process);
    return found == device.resident_bytes.end() ? Json() : Json(found->second);
  };
  Json engines = Json::array(), models = Json::array();
  for (const auto& each : resident) {
    assistant::ModelService& model = *each.model;
    if (const auto process = model.process())
      engines.push_back({{"model", model.name()}, {"bytes", bytes_of(*process)}});
    const auto stats = model.stats();
    if (!stats) continue;
    const uint64_t before = std::exchange(generated_[model.name()], stats->generated_tokens);
    const bool counted = seconds > 0 && before <= stats->generated_tokens;
    const core::Pace pace = model.pace();
    models.push_back(
        {{"model", model.name()},
         {"running", stats->running},
         {"waiting", stats->waiting},
         {"tokens_per_second", counted ? static_cast<double>(stats->generated_tokens - before) / seconds : 0},
         {"state_bytes", stats->state_bytes},
         {"state_limit_bytes", stats->state_limit_bytes},
         {"kept_prefixes", stats->kept_prefixes},
         {"pace",
          {{"threads", std::min(pace.threads, model.info().threads)}, {"reasons", reasons_json(pace.reasons)}}}});
  }
  Json pressure;
  if (device.pressure)
    pressure = {{"cpu", device.pressure->cpu}, {"memory", device.pressure->memory}, {"io", device.pressure->io}};
  const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  return {{"type", "device"},
          {"device",
           {{"time", std::time(nullptr)},
            {"cpu", {{"cores", device.cores}, {"machine", or_null(device.busy)}, {"ingle", or_null(device.own_busy)}}},
            {"memory",
             {{"total", device.memory_bytes},
              {"available", device.available_bytes},
              {"server", bytes_of(::getpid())},
              {"engines", std::move(engines)}}},
            {"pressure", std::move(pressure)},
            {"models", std::move(models)}}}};
}

void InspectedReply::heard(const assistant::ModelService& model, const core::GenerationEvent& event) {
  std::string tokens;
  for (const core::ObservedToken& token : event.observed)
    tokens += (tokens.empty() ? "" : ",") + to_text(to_json(token));
  const std::lock_guard lock(inspector_->mutex_);
  Json& json = reply_->json;
  json["cached_tokens"] = event.stats.cached_tokens;
  json["observing_ms"] = event.stats.observing_ms;
  if (!tokens.empty()) {
    inspector_->tell_text("data: {\"type\":\"tokens\",\"message\":" + std::to_string(reply_->message) +
                          ",\"first\":" + std::to_string(reply_->token_count) + ",\"tokens\":[" + tokens + "]}\n\n");
    reply_->tokens += (reply_->token_count == 0 ? "" : ",") + tokens;
    reply_->token_count += static_cast<uint32_t>(event.observed.size());
  }
  if (!event.finished && !event.error) return;
  json["finish"] = event.error ? "error" : Json(finish_name(*event.finished));
  if (event.error) json["error"] = event.error->message;
  json["timings"] = timings_json(model, event.stats);
  inspector_->tell({{"type", "end"},
                    {"message", reply_->message},
                    {"finish", json["finish"]},
                    {"error", json["error"]},
                    {"timings", json["timings"]},
                    {"observing_ms", json["observing_ms"]}});
}

}  // namespace ingle::server
