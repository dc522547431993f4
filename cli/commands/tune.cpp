// ingle tune MODEL: how many threads, and how many rows of a prompt at once, are fastest here; remembered.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/utf8.h"
#include "cli/bench_process.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/tuning.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

// A number of threads or rows is as good as the best where it comes this near; the smallest such is taken, since it
// leaves cores and memory to others.
constexpr double near_best = 0.98;
// "About as fast as any number of threads", for memory's limit.
constexpr double saturated = 0.95;

struct Trial {
  uint32_t threads = 0, batch = 0;
  double prefill_tps = 0, decode_tps = 0;
};

std::vector<uint32_t> thread_candidates(const Session& session) {
  if (session.values.is_set("threads")) return {static_cast<uint32_t>(session.values.integer("threads"))};
  uint32_t cores = 0;
  for (const core::CoreKind& kind : core::core_kinds()) cores += kind.cores;
  std::vector<uint32_t> out;
  // 1, 2, 3, 4, 6, 8, 12, 16, 24, … and all.
  for (uint32_t n = 1; n < cores; n = n < 4 ? n + 1 : (n & (n - 1)) == 0 ? n + n / 2 : n / 3 * 4) out.push_back(n);
  out.push_back(cores);
  return out;
}

std::vector<uint32_t> batch_candidates(const Session& session) {
  if (session.values.is_set("batch")) return {static_cast<uint32_t>(session.values.integer("batch"))};
  const auto prompt = static_cast<uint32_t>(session.values.integer("prompt"));
  std::vector<uint32_t> out;
  for (uint32_t n = 128; n <= 2048; n *= 2)
    if (n == 128 || n <= prompt) out.push_back(n);
  return out;
}

class Tuner {
 public:
  Tuner(const Session& session, std::string path) : session_(session), path_(std::move(path)), line_(session.terminal) {
    const std::vector<std::string> all = engine_flags(session);
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] == "--threads" || all[i] == "--batch")
        ++i;  // with its value: both are what is tried
      else
        flags_.push_back(all[i]);
    }
  }

  /// Measures each trial as often as asked, in turn, and keeps the best of each. Errors: as run_bench_process.
  Status measure(std::vector<Trial>& trials, size_t prompt, size_t gen, std::string_view what) {
    const auto repeat = static_cast<size_t>(session_.values.integer("repeat"));
    for (size_t round = 0; round < repeat; ++round)
      for (size_t i = 0; i < trials.size(); ++i) {
        const size_t done = round * trials.size() + i;
        if (session_.terminal.options().progress_bars)
          line_.update(what, static_cast<double>(done) / static_cast<double>(repeat * trials.size()));
        INGLE_CHECK(measure_once(trials[i], prompt, gen));
      }
    line_.clear();
    return {};
  }

 private:
  Status measure_once(Trial& trial, size_t prompt, size_t gen) {
    std::vector<std::string> flags = flags_;
    flags.insert(flags.end(), {"--threads", std::to_string(trial.threads), "--batch", std::to_string(trial.batch),
                               "--prompt", std::to_string(prompt), "--gen", std::to_string(gen)});
    INGLE_TRY(const Json result, run_bench_process(flags, path_));
    trial.prefill_tps = std::max(trial.prefill_tps, result.value("prefill_tps", 0.0));
    trial.decode_tps = std::max(trial.decode_tps, result.value("decode_tps", 0.0));
    return {};
  }

  const Session& session_;
  const std::string path_;
  std::vector<std::string> flags_;
  ProgressLine line_;
};

/// The first whose score is near the best one's.
const Trial& smallest_near_best(const std::vector<Trial>& trials, double near,
                                const std::function<double(const Trial&)>& score) {
  double best = 0;
  for (const Trial& trial : trials) best = std::max(best, score(trial));
  return *std::ranges::find_if(trials, [&](const Trial& trial) { return score(trial) >= best * near; });
}

// Reading a prompt and writing an answer count the same.
double both_speeds(const Trial& trial) {
  return std::sqrt(trial.prefill_tps * trial.decode_tps);
}

struct Found {
  Tuning tuning;
  std::vector<Trial> by_threads, by_batch;
};

Result<Found> find_best(const Session& session, const std::string& path) {
  const auto prompt = static_cast<size_t>(session.values.integer("prompt"));
  const auto gen = static_cast<size_t>(session.values.integer("gen"));
  Tuner tuner(session, path);
  Found found;
  const auto batch = static_cast<uint32_t>(session.values.integer("batch"));
  for (const uint32_t threads : thread_candidates(session)) found.by_threads.push_back({threads, batch, 0, 0});
  INGLE_CHECK(tuner.measure(found.by_threads, prompt, gen, "trying numbers of threads"));
  const Trial& best = smallest_near_best(found.by_threads, near_best, both_speeds);
  for (const uint32_t rows : batch_candidates(session)) found.by_batch.push_back({best.threads, rows, 0, 0});
  INGLE_CHECK(tuner.measure(found.by_batch, prompt, 0, "trying numbers of rows"));
  const Trial& rows =
      smallest_near_best(found.by_batch, near_best, [](const Trial& trial) { return trial.prefill_tps; });
  found.tuning.threads = best.threads;
  found.tuning.batch = rows.batch;
  found.tuning.saturating =
      smallest_near_best(found.by_threads, saturated, [](const Trial& trial) { return trial.decode_tps; }).threads;
  found.tuning.prefill_tps = rows.prefill_tps;
  found.tuning.decode_tps = best.decode_tps;
  return found;
}

Json to_json(const Trial& trial) {
  Json out = {{"threads", trial.threads}, {"batch", trial.batch}, {"prefill_tps", trial.prefill_tps}};
  if (trial.decode_tps > 0) out["decode_tps"] = trial.decode_tps;
  return out;
}

std::string text_of(const Found& found) {
  const auto rate = [](double tps) { return pad(show_fixed(tps, 1), 18, true); };
  std::string out =
      pad("THREADS", 8, true) + pad("PROMPT TOKENS/S", 18, true) + pad("ANSWER TOKENS/S", 18, true) + "\n";
  for (const Trial& t : found.by_threads)
    out += pad(std::to_string(t.threads), 8, true) + rate(t.prefill_tps) + rate(t.decode_tps) + "\n";
  out += pad("ROWS", 8, true) + pad("PROMPT TOKENS/S", 18, true) + "\n";
  for (const Trial& t : found.by_batch) out += pad(std::to_string(t.batch), 8, true) + rate(t.prefill_tps) + "\n";
  const std::string threads = std::to_string(found.tuning.threads), fewest = std::to_string(found.tuning.saturating);
  return out + "\nRemembered for models of this shape: --threads " + threads + ", --batch " +
         std::to_string(found.tuning.batch) +
         ".\nThe fewest threads that write about as fast as any number: " + fewest + ".\n";
}

Status tune(const Session& session) {
  INGLE_TRY(const std::string name, model_or_default(session));
  INGLE_TRY(const auto model, ensure_model(session, name));
  INGLE_TRY(const core::ModelFile file, core::ModelFile::open(model.path));
  // Before the minutes that measuring takes: whether it can be kept.
  INGLE_TRY(std::vector<Tuning> tunings, read_tunings(tuning_path(session)));
  double load = 0;  // of the last minute; from here on, it is ours
  const bool disturbed = ::getloadavg(&load, 1) == 1 && load > 0.5;
  INGLE_TRY(Found found, find_best(session, model.path.string()));
  if (disturbed)
    session.terminal.notice(
        "ingle: something else computed in the minute before; what is fastest beside it may not be without it");
  if (interrupted()) return Error{ErrorCode::cancelled, ""};
  found.tuning.machine = machine_fingerprint(session);
  found.tuning.shape = core::model_shape(file);
  found.tuning.model = model.name;
  std::erase_if(tunings, [&](const Tuning& t) { return t.is_of(found.tuning.machine, found.tuning.shape); });
  tunings.push_back(found.tuning);
  INGLE_CHECK(write_tunings(tuning_path(session), tunings));
  if (!session.json()) return session.terminal.out(text_of(found));
  Json out = to_json(found.tuning);
  for (const Trial& trial : found.by_threads) out["by_threads"].push_back(to_json(trial));
  for (const Trial& trial : found.by_batch) out["by_batch"].push_back(to_json(trial));
  return session.out_json(out);
}

Status show(const Session& session) {
  INGLE_TRY(const std::vector<Tuning> tunings, read_tunings(tuning_path(session)));
  Json list = Json::array();
  std::string text;
  for (const Tuning& tuning : tunings) {
    list.push_back(to_json(tuning));
    text += base::escape_controls(tuning.model) + " (" + base::escape_controls(tuning.shape) + "): --threads " +
            std::to_string(tuning.threads) + ", --batch " + std::to_string(tuning.batch) + "; " +
            base::escape_controls(tuning.machine) + "\n";
  }
  if (session.json()) return session.out_json(list);
  return session.terminal.out(text.empty() ? "Nothing is remembered; 'ingle tune MODEL' measures.\n" : text);
}

/// Of one model on this machine, or, without a model, all: also what can't be read.
Status forget(const Session& session) {
  std::vector<Tuning> left;
  if (const std::string name = session.argument(0); !name.empty()) {
    INGLE_TRY(const auto model, local_model(session, name));
    INGLE_TRY(const core::ModelFile file, core::ModelFile::open(model.path));
    INGLE_TRY(left, read_tunings(tuning_path(session)));
    const std::string machine = machine_fingerprint(session), shape = core::model_shape(file);
    if (std::erase_if(left, [&](const Tuning& tuning) { return tuning.is_of(machine, shape); }) == 0)
      return Error{ErrorCode::not_found, "nothing is remembered of " + name + " on this machine"};
  }
  return write_tunings(tuning_path(session), left);
}

Status run(Session& session) {
  if (session.values.flag("show") && session.values.flag("forget"))
    return Error{ErrorCode::invalid_argument, "--show and --forget exclude each other"};
  if (session.values.flag("show")) return show(session);
  return session.values.flag("forget") ? forget(session) : tune(session);
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path; without one the default is used", .type = ValueType::model}};
constexpr Option options[] = {
    count_option("prompt", "tokens of the prompt to measure with", "1024", 1),
    count_option("gen", "tokens to generate", "48", 1),
    count_option("repeat", "times that each possibility is measured; the best counts", "2", 1, 1000),
    {.name = "show", .help = "what is remembered"},
    {.name = "forget", .help = "remember nothing of MODEL any more, or of any model where none is named"},
    json_option,
};
constexpr Example examples[] = {{"ingle tune smollm2-135m", "Measures for a minute; later runs use what was found."},
                                {"ingle tune --show", "What is remembered."}};

}  // namespace

extern const Command tune_record;
const Command tune_record{
    .name = "tune",
    .summary = "find and remember the fastest threads and batch for a model",
    .description =
        "Tries numbers of threads up to one per core, and then numbers of a prompt's rows computed at once, each in a "
        "fresh process. Of those that come within 2 % of the fastest, the smallest is taken. It is remembered for this "
        "processor and for models of this shape, in the cache folder, and used wherever neither a flag nor another "
        "setting says otherwise. --threads or --batch leaves the other one to be found.\n\n"
        "Writing an answer is bound by memory sooner than by computing: it also tells the fewest threads with which "
        "that is 95 % as fast as at best.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 63,
    .run = run,
};

}  // namespace ingle::cli
