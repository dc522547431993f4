// GET /api/ps: the models in memory, what each takes and what it does now.
#include "server/api/ollama.h"
#include "server/api/ollama_model.h"
#include "server/api/route.h"

namespace ingle::server {
namespace {

/// Clients read it as a time.
constexpr std::string_view kNever = "9999-12-31T23:59:59Z";

void handle(Call& call) {
  base::Json models = base::Json::array();
  for (const auto& [model, left] : call.pool->resident()) {
    const core::EngineInfo& info = model->info();
    const core::SchedulerStats stats = stats_of(*model);
    base::Json json = ollama_model_json(stored_of(call, *model), model);
    json["expires_at"] = left ? iso_time(*left) : std::string(kNever);
    json["size"] = info.weight_bytes + info.activation_bytes + stats.state_bytes;
    json["size_vram"] = 0;
    json["context_length"] = info.context_length;
    json["ingle"] = {{"device", "cpu"},
                     {"isa", info.isa},
                     {"threads", info.threads},
                     {"planned_bytes", info.weight_bytes + info.activation_bytes + stats.state_limit_bytes},
                     {"used_bytes", info.weight_bytes + info.activation_bytes + stats.state_bytes},
                     {"weight_bytes", info.weight_bytes},
                     {"streamed_bytes", info.streamed_bytes},
                     {"activation_bytes", info.activation_bytes},
                     {"state_bytes", stats.state_bytes},
                     {"state_limit_bytes", stats.state_limit_bytes}};
    // What others do is nobody's business.
    if (call.keyed)
      json["ingle"].update(
          {{"running", stats.running}, {"waiting", stats.waiting}, {"kept_prefixes", stats.kept_prefixes}});
    models.push_back(std::move(json));
  }
  call.respond({{"models", std::move(models)}});
}

}  // namespace

extern const Route ollama_ps_record;
const Route ollama_ps_record{.method = "GET",
                             .path = "/api/ps",
                             .family = Family::ollama,
                             .summary = "what is in memory, in Ollama's form",
                             .handle = handle};

}  // namespace ingle::server
