// ingle bench MODEL: speed, load time, time to the first token and peak memory; medians over fresh processes.
#include <algorithm>

#include "base/utf8.h"
#include "cli/bench_process.h"
#include "cli/models.h"
#include "cli/progress.h"

namespace ingle::cli {
namespace {

using base::Json;
using base::Result;
using base::Status;

struct Figure {
  const char* key;
  std::string_view label, unit;
  int digits;
};
constexpr Figure figures[] = {
    {"prefill_tps", "prompt", "tokens/s", 1},
    {"decode_tps", "generation", "tokens/s", 1},
    {"streams_tps", "all streams", "tokens/s", 1},
    {"load_ms", "load", "ms", 1},
    {"first_token_ms", "first token", "ms after start", 1},
    {"peak_rss_bytes", "peak memory", "MiB", 1},
};

/// Medians over the runs of what the phases cost per token.
Json summarise_cost(const std::vector<Json>& runs) {
  Json out = Json::object();
  const Json phases = runs.front().value("cost", Json::object());
  for (const auto& [phase, costs] : phases.items()) {
    for (const auto& [key, unused] : costs.items()) {
      std::vector<double> values;
      for (const Json& run : runs) values.push_back(run["cost"][phase].value(key, 0.0));
      out[phase][key] = median(values);
    }
  }
  return out;
}

Json summarise(const std::vector<Json>& runs) {
  Json out, spread;
  for (const Figure& figure : figures) {
    std::vector<double> values;
    for (const Json& run : runs) {
      if (run.contains(figure.key)) values.push_back(run[figure.key].get<double>());
    }
    if (values.empty()) continue;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const bool whole = std::string_view(figure.key) == "peak_rss_bytes";
    const auto shown = [&](double value) { return whole ? Json(static_cast<uint64_t>(value)) : Json(value); };
    out[figure.key] = shown(median(values));
    spread[figure.key] = {{"min", shown(*least)}, {"max", shown(*most)}};
  }
  out["isa"] = runs.front()["isa"];
  for (const char* key : {"threads", "held_threads"}) out[key] = runs.front()[key];
  out["weights"] = runs.back()["weights"];
  out["spread"] = std::move(spread);
  out["cost"] = summarise_cost(runs);
  for (const char* key : {"energy_source", "no_instructions"})
    if (runs.front().contains(key)) out[key] = runs.front()[key];
  return out;
}

std::string result_text(const Json& result) {
  std::string out;
  for (const Figure& figure : figures) {
    if (!result.contains(figure.key)) continue;
    const double scale = std::string_view(figure.key) == "peak_rss_bytes" ? 1.0 / (1 << 20) : 1;
    const auto number = [&](const Json& value) { return show_fixed(value.get<double>() * scale, figure.digits); };
    const Json& spread = result["spread"][figure.key];
    out += pad(figure.label, 14) + pad(number(result[figure.key]), 10, true) + " " + pad(figure.unit, 16) + "(" +
           number(spread["min"]) + " to " + number(spread["max"]) + ")\n";
  }
  return out + pad("computed by", 14) + result["isa"].get<std::string>() + ", " + result["threads"].dump() +
         " threads" +
         (result["held_threads"] == 0 ? "" : " (" + result["held_threads"].dump() + " held to their cores)") +
         ", weights: " + result["weights"].get<std::string>() + "\n";
}

/// A line per phase: what a token costs. What could not be counted is said in a line of its own.
std::string cost_text(const Json& result) {
  std::string out;
  for (const auto& [phase, cost] : result["cost"].items()) {
    out += pad("a token of", 11) + pad(phase, 11) + show_fixed(cost["core_seconds_per_token"].get<double>() * 1e3, 3) +
           " core-ms";
    if (cost.contains("instructions_per_token"))
      out += ", " + show_fixed(cost["instructions_per_token"].get<double>() * 1e-6, 2) + " million instructions";
    if (cost.contains("joules_per_token"))
      out += ", " + show_fixed(cost["joules_per_token"].get<double>() * 1e3, 1) + " mJ (" +
             result["energy_source"].get<std::string>() + ", all programs)";
    out += "\n";
  }
  if (out.empty()) return out;
  if (result.contains("no_instructions"))
    out += "instructions: " + base::escape_controls(result["no_instructions"].get<std::string>()) + "\n";
  if (!result.contains("energy_source")) out += "energy: this system shows no counter that may be read\n";
  return out;
}

std::string share_text(const Json& operation) {
  if (!operation.contains("share_of_limit")) return "-";
  return show_fixed(operation["share_of_limit"].get<double>() * 100, 0) + " %";
}

std::string limits_text(const Json& limits) {
  struct Line {
    const char* key;
    std::string_view label, unit;
  };
  constexpr Line lines[] = {{"weight_bytes_per_second", "read the weights", "GB/s"},
                            {"large_bytes_per_second", "read a large buffer", "GB/s"},
                            {"byte_products_per_second", "multiply bytes", "GMAC/s"},
                            {"float_products_per_second", "multiply floats", "GMAC/s"},
                            {"tile_products_per_second", "multiply tiles", "GMAC/s"}};
  std::string out;
  for (const Line& line : lines) {
    if (!limits.contains(line.key)) continue;
    out += "  " + pad(line.label, 22) + pad(show_fixed(limits[line.key].get<double>() * 1e-9, 1), 10, true) + " " +
           std::string(line.unit) + "\n";
  }
  return out;
}

/// A table of what took the time, in per cent of all of it; what took less than a thousandth is left out.
std::string profile_text(const Json& operations) {
  double total = 0;
  const bool limited = std::ranges::any_of(operations, [](const Json& o) { return o.contains("share_of_limit"); });
  for (const Json& o : operations) total += o["seconds"].get<double>() + o["waiting_seconds"].get<double>();
  std::string out = pad("", 8) + pad("ms", 9, true) + pad("share", 8, true) + pad("waiting", 9, true) +
                    pad("GMAC/s", 9, true) + pad("GB/s", 8, true) + (limited ? pad("limit", 8, true) : "") + "\n";
  for (const Json& o : operations) {
    const double busy = o["seconds"].get<double>(), waiting = o["waiting_seconds"].get<double>();
    if (busy + waiting < total / 1000) continue;
    const auto rate = [&](const char* key) {
      const double count = o[key].get<double>();
      return count > 0 ? show_fixed(count / (busy + waiting) * 1e-9, 1) : std::string("-");
    };
    out += pad("", 8) + pad(show_fixed((busy + waiting) * 1e3, 1), 9, true) +
           pad(show_fixed((busy + waiting) / total * 100, 1) + " %", 8, true) +
           pad(show_fixed(waiting / total * 100, 1) + " %", 9, true) + pad(rate("multiply_adds"), 9, true) +
           pad(rate("weight_bytes"), 8, true) + (limited ? pad(share_text(o), 8, true) : "") + "  " +
           base::escape_controls(o["name"].get<std::string>()) + "\n";
  }
  return out;
}

Status run(Session& session) {
  INGLE_TRY(const std::string name, model_or_default(session));
  INGLE_TRY(const auto model, ensure_model(session, name));
  const auto repeat = static_cast<size_t>(session.values.integer("repeat"));
  const std::vector<std::string> flags =
      engine_flags(session, {"prompt", "gen", "depth", "streams", "profile", "limits", "trace"});
  std::vector<Json> runs;
  ProgressLine line(session.terminal);
  for (size_t i = 0; i < repeat; ++i) {
    if (session.terminal.options().progress_bars) {
      line.update("measuring", static_cast<double>(i) / static_cast<double>(repeat));
    }
    INGLE_TRY(Json result, run_bench_process(flags, model.path.string()));
    runs.push_back(std::move(result));
  }
  line.clear();
  Json result = summarise(runs);
  result["model"] = model.name;
  result["prompt"] = session.values.integer("prompt");
  result["gen"] = session.values.integer("gen");
  result["repeat"] = repeat;
  for (const char* key : {"limits", "profile"})
    if (runs.back().contains(key)) result[key] = runs.back()[key];
  if (session.json()) return session.out_json(result);
  std::string text = result_text(result) + cost_text(result);
  if (result.contains("limits")) text += "\nlimits of this machine:\n" + limits_text(result["limits"]);
  const Json profiles = result.value("profile", Json::object());
  for (const auto& [phase, operations] : profiles.items())
    text += "\n" + phase + ", by operation:\n" + profile_text(operations);
  return session.terminal.out(text);
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path; without one the default is used", .type = ValueType::model}};
constexpr Option options[] = {
    count_option("prompt", "tokens of the prompt; 0: do not measure", "512"),
    count_option("gen", "tokens to generate; 0: do not measure", "64"),
    count_option("depth", "tokens of context that generation starts behind", "0"),
    count_option("streams", "also generate that many sequences in step; 0: do not measure", "0", 0, 4096),
    count_option("repeat", "repetitions, each in a fresh process", "3", 1, 1000),
    {.name = "profile", .help = "also a table of what each kind of operation takes, measured in the last repetition"},
    {.name = "limits",
     .help =
         "also measure how fast this machine could read and multiply at most; --profile then tells how near it came"},
    {.name = "trace",
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "also write when each kernel ran on each thread, for Chrome (chrome://tracing) or Perfetto"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle bench smollm2-135m --prompt 512 --gen 64 --threads 2 --repeat 3 --json", "Medians and spread as JSON."},
    {"ingle bench --prompt 512 --gen 8 --trace trace.json", "What each thread does when, to look at in Perfetto."}};

}  // namespace

extern const Command bench_record;
const Command bench_record{
    .name = "bench",
    .summary = "measure speed, load time, first token and memory",
    .description =
        "Each repetition is a fresh process: it loads the model, takes the time from its own start to the first token "
        "of "
        "a prompt of 10 tokens, warms up with one batch, then computes the prompt, and then generates from an empty "
        "context without sampling. The figures are medians; the smallest and the largest stand beside them.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 61,
    .run = run,
};

}  // namespace ingle::cli
