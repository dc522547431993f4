// ingle __bench: one repetition of `ingle bench` in a process of its own, so that start, load and peak memory are those
// of a program that does nothing else. Prints one JSON object, or {"error": {code, message}}.
//
// Order: load; the first token of a 10-token prompt; one batch to warm up; the prompt; then decoding from an empty
// sequence, token by token, with fixed ids, as the peers' own bench tools do it. Of the logits, the best is found, as
// for a greedy answer (the peers' tools write all of them and look at none).
#include <algorithm>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "cli/bench_process.h"
#include "cli/cost.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/subprocess.h"
#include "cli/system.h"

namespace ingle::cli {
namespace {

using base::Json;
using base::Result;
using base::Status;

constexpr size_t first_prompt = 10;

/// Ids that are spread over the vocabulary and the same on every machine (Knuth's multiplicative hash).
std::vector<core::TokenId> fixed_tokens(size_t count, uint32_t vocabulary) {
  std::vector<core::TokenId> out;
  for (size_t i = 0; i < count; ++i) {
    const auto hash = static_cast<uint32_t>((i + 1) * 2654435761u);
    out.push_back(static_cast<core::TokenId>(hash % vocabulary));
  }
  return out;
}

double seconds_since(int64_t start_ns) {
  return static_cast<double>(base::monotonic_ns() - start_ns) / 1e9;
}

/// Per token, with what could not be counted left out.
Json cost_json(const Cost& cost, size_t tokens) {
  const auto each = [&](double value) { return value / static_cast<double>(tokens); };
  Json out = {{"core_seconds_per_token", each(cost.core_seconds)}};
  if (cost.instructions) out["instructions_per_token"] = each(*cost.instructions);
  if (cost.joules) out["joules_per_token"] = each(*cost.joules);
  return out;
}

Json limits_json(const core::MachineLimits& limits) {
  Json out = {{"weight_bytes_per_second", limits.weight_bytes},
              {"large_bytes_per_second", limits.large_bytes},
              {"large_buffer_bytes", limits.large_buffer},
              {"byte_products_per_second", limits.byte_products},
              {"float_products_per_second", limits.float_products}};
  if (limits.tile_products > 0) out["tile_products_per_second"] = limits.tile_products;
  return out;
}

/// What each kind of operation took while `work` ran.
template <typename Function>
Result<Json> profile(core::Engine& engine, const std::optional<core::MachineLimits>& limits, Function work) {
  engine.start_profile();
  INGLE_CHECK(work());
  Json out = Json::array();
  for (const core::OperationProfile& operation : engine.profile()) {
    out.push_back({{"name", operation.name},
                   {"calls", operation.calls},
                   {"seconds", operation.seconds},
                   {"waiting_seconds", operation.waiting_seconds},
                   {"weight_bytes", operation.weight_bytes},
                   {"multiply_adds", operation.multiply_adds}});
    if (!limits) continue;
    if (const double share = core::share_of_limit(operation, *limits); share > 0) out.back()["share_of_limit"] = share;
  }
  return out;
}

/// The prompt and then the generation, as measured; `number` of the fixed tokens each. Generation starts behind `depth`
/// others.
struct Work {
  core::Engine& engine;
  core::Sequence& sequence;
  std::span<const core::TokenId> tokens;
  size_t depth;

  Status prompt(size_t number) const {
    sequence.truncate(0);
    INGLE_CHECK(engine.forward_best(sequence, tokens.first(number), core::LogitRows::last, 1, interrupted));
    return {};
  }
  Status go_to_depth() const {
    sequence.truncate(0);
    if (depth > 0) INGLE_CHECK(engine.forward(sequence, tokens.first(depth), core::LogitRows::none, interrupted));
    return {};
  }
  Status generate(size_t number) const {
    for (size_t i = 0; i < number; ++i)
      INGLE_CHECK(engine.forward_best(sequence, tokens.subspan(i, 1), core::LogitRows::last, 1, interrupted));
    return {};
  }
  /// Several sequences in step, which share what is at depth. Returns the seconds it took.
  Result<double> generate_together(size_t streams, size_t number) const {
    std::vector<std::unique_ptr<core::Sequence>> forks(streams);
    for (auto& fork : forks) {
      INGLE_TRY(fork, sequence.fork());
    }
    std::vector<core::SequenceTokens> batch(streams);
    const int64_t start = base::monotonic_ns();
    for (size_t i = 0; i < number; ++i) {
      for (size_t s = 0; s < streams; ++s)
        batch[s] = {forks[s].get(), tokens.subspan((i + s * number / streams) % number, 1)};
      INGLE_CHECK(engine.forward_batch_best(batch, 1));
      if (interrupted()) return base::Error{base::ErrorCode::cancelled, ""};
    }
    return seconds_since(start);
  }
};

Result<Json> measure(Session& session) {
  const Values& values = session.values;
  const auto prompt = static_cast<size_t>(values.integer("prompt"));
  const auto gen = static_cast<size_t>(values.integer("gen"));
  const auto depth = static_cast<size_t>(values.integer("depth"));
  const auto streams = static_cast<size_t>(values.integer("streams"));
  const int64_t started = values.integer("started");
  core::EngineOptions options = engine_options(session);
  if (options.context_length == 0) {
    options.context_length = static_cast<uint32_t>(std::max({prompt, depth + gen, first_prompt}) + 1);
  }
  CostMeter meter;
  INGLE_TRY(const LoadedModel loaded, load_model(session, session.argument(0), options));
  core::Engine& engine = *loaded.engine;
  INGLE_TRY(auto sequence, engine.new_sequence());
  const auto tokens = fixed_tokens(std::max({prompt, depth, gen, first_prompt}), engine.info().vocabulary_size);
  const std::span all(tokens);

  INGLE_TRY(const auto best,
            engine.forward_best(*sequence, all.first(first_prompt), core::LogitRows::last, 1, interrupted));
  (void)engine.tokenizer().token_bytes(std::max(best[0].id, 0));
  const double first_token_ms = seconds_since(started) * 1000;

  Json out = {{"isa", engine.info().isa},
              {"threads", engine.info().threads},
              {"held_threads", engine.info().held_threads},
              {"load_ms", engine.info().load_ms},
              {"first_token_ms", first_token_ms}};
  const Work work{engine, *sequence, all, depth};
  if (prompt > 0) {
    INGLE_CHECK(work.prompt(std::min<size_t>(prompt, engine.info().batch)));
    meter.start();
    const int64_t start = base::monotonic_ns();
    INGLE_CHECK(work.prompt(prompt));
    out["prefill_tps"] = static_cast<double>(prompt) / seconds_since(start);
    out["cost"]["prompt"] = cost_json(meter.stop(), prompt);
  }
  if (gen > 0) {
    INGLE_CHECK(work.go_to_depth());
    meter.start();
    const int64_t start = base::monotonic_ns();
    INGLE_CHECK(work.generate(gen));
    out["decode_tps"] = static_cast<double>(gen) / seconds_since(start);
    out["cost"]["generation"] = cost_json(meter.stop(), gen);
  }
  if (gen > 0 && streams > 0) {
    INGLE_CHECK(work.go_to_depth());
    INGLE_TRY(const double seconds, work.generate_together(streams, gen));
    out["streams_tps"] = static_cast<double>(streams * gen) / seconds;
  }
  if (!meter.energy_source().empty()) out["energy_source"] = meter.energy_source();
  if (!meter.no_instructions().empty()) out["no_instructions"] = meter.no_instructions();
  out["weights"] = engine.info().weights;
  out["streamed_bytes"] = engine.info().streamed_bytes;
  out["peak_rss_bytes"] = peak_memory_bytes();
  std::optional<core::MachineLimits> limits;
  if (values.flag("limits")) {
    INGLE_TRY(limits, engine.measure_limits());
    out["limits"] = limits_json(*limits);
  }
  if (values.flag("profile")) {
    out["profile"] = Json::object();
    if (prompt > 0) {
      INGLE_TRY(out["profile"]["prompt"], profile(engine, limits, [&] { return work.prompt(prompt); }));
    }
    if (gen > 0) {
      INGLE_CHECK(work.go_to_depth());
      INGLE_TRY(out["profile"]["generation"], profile(engine, limits, [&] { return work.generate(gen); }));
    }
    if (gen > 0 && streams > 0) {
      INGLE_CHECK(work.go_to_depth());
      INGLE_TRY(out["profile"]["streams"], profile(engine, limits, [&]() -> Status {
                  INGLE_CHECK(work.generate_together(streams, gen));
                  return {};
                }));
    }
  }
  if (values.is_set("trace")) {
    INGLE_CHECK(engine.start_trace());
    if (prompt > 0) INGLE_CHECK(work.prompt(prompt));
    INGLE_CHECK(work.go_to_depth());
    if (gen > 0) INGLE_CHECK(work.generate(gen));
    INGLE_CHECK(engine.write_trace(expand_home(values.text("trace"), session.environment)));
  }
  return out;
}

Status run(Session& session) {
  auto result = measure(session);
  if (result) return session.terminal.out(result->dump() + "\n");
  const Json error = {{"code", static_cast<int>(result.error().code)}, {"message", result.error().message}};
  return session.terminal.out(Json{{"error", error}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

constexpr Argument arguments[] = {{.name = "MODEL", .help = "a path", .type = ValueType::model, .required = true}};
constexpr Option options[] = {
    count_option("prompt", "", "512"),
    count_option("gen", "", "64"),
    count_option("depth", "", "0"),
    count_option("streams", "", "0"),
    {.name = "profile", .help = ""},
    {.name = "limits", .help = ""},
    {.name = "trace", .type = ValueType::path, .metavar = "FILE", .help = ""},
    {.name = "started", .type = ValueType::integer, .metavar = "NS", .help = "", .fallback = "0", .minimum = 0},
};

}  // namespace

extern const Command bench_child_record;
const Command bench_child_record{
    .name = "__bench",
    .summary = "one repetition of bench",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .hidden = true,
    .run = run,
};

}  // namespace ingle::cli
