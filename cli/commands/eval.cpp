// ingle eval MODEL --text FILE: how well the model predicts a text, and how far it is from another one.
//
// The text's tokens (special tokens in it are plain text) are cut into windows of --ctx tokens that do not overlap.
// Each starts with BOS where the model's metadata says so and then takes ctx - 1 tokens of the text; every token but a
// window's first is scored; a partial last window is dropped.
#include <algorithm>
#include <cmath>
#include <thread>

#include "base/files.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/scoring.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr uint64_t max_text_bytes = uint64_t{1} << 30;
constexpr int64_t default_window = 512;
/// A model's logits of this many bytes at once, whatever the window: 64 rows of 262,144 tokens. Half of that would be
/// fewer rows than the tile units take (kFewestTileRows), and would measure other kernels than a prompt runs.
constexpr size_t logits_budget = size_t{64} << 20;

using Window = std::vector<core::TokenId>;

/// Errors: invalid_argument where the text does not fill one window.
Result<std::vector<Window>> cut_windows(const core::Tokenizer& tokenizer, const std::string& text, size_t length,
                                        size_t most) {
  const auto ids = tokenizer.encode(text);
  const auto& special = tokenizer.special();
  const bool bos = special.add_bos && special.bos.has_value();
  const size_t step = length - (bos ? 1 : 0);
  std::vector<Window> windows;
  for (size_t at = 0; at + step <= ids.size() && (most == 0 || windows.size() < most); at += step) {
    Window window;
    if (bos) window.push_back(*special.bos);
    window.insert(window.end(), ids.begin() + static_cast<ptrdiff_t>(at),
                  ids.begin() + static_cast<ptrdiff_t>(at + step));
    windows.push_back(std::move(window));
  }
  if (windows.empty()) {
    return Error{ErrorCode::invalid_argument, "the text has " + std::to_string(ids.size()) +
                                                  " tokens, and one window takes " + std::to_string(step) +
                                                  "; give a longer text or a smaller --ctx"};
  }
  return windows;
}

/// A model under evaluation and its running sums.
struct Subject {
  core::Engine* engine = nullptr;
  std::unique_ptr<core::Sequence> sequence;
  Score score;
  std::span<float> logits;  ///< of the current chunk

  size_t vocabulary() const { return engine->info().vocabulary_size; }
};

Status forward_chunk(Subject& subject, std::span<const core::TokenId> chunk) {
  INGLE_TRY(subject.logits, subject.engine->forward(*subject.sequence, chunk, core::LogitRows::all, interrupted));
  return {};
}

/// One window through one or two models, in chunks so that the logits of both stay small.
Status score_window(const Window& window, std::vector<Subject>& subjects, Divergence& divergence, unsigned threads) {
  size_t chunk_rows = window.size();
  for (Subject& subject : subjects) {
    subject.sequence->truncate(0);
    chunk_rows = std::min(chunk_rows, std::max<size_t>(logits_budget / sizeof(float) / subject.vocabulary(), 1));
  }
  const std::span<const core::TokenId> tokens = window;
  // The last token predicts nothing that is known.
  for (size_t at = 0; at + 1 < tokens.size(); at += chunk_rows) {
    const size_t rows = std::min(chunk_rows, tokens.size() - 1 - at);
    for (Subject& subject : subjects) {
      INGLE_CHECK(forward_chunk(subject, tokens.subspan(at, rows)));
      subject.score.add(score_rows(subject.logits, tokens.subspan(at + 1, rows), subject.vocabulary(), threads));
    }
    if (subjects.size() < 2) continue;
    divergence.add(compare_rows(subjects[1].logits, subjects[1].vocabulary(), subjects[0].logits,
                                subjects[0].vocabulary(), rows, threads));
  }
  return {};
}

Error different_vocabularies(const std::string& other) {
  return {ErrorCode::invalid_argument,
          "the two models cut the text into different tokens; --kl-against needs one with the vocabulary of the first, "
          "not " +
              other};
}

/// The second model of --kl-against: the same one on the reference path, or another.
Result<LoadedModel> load_other(const Session& session, const core::EngineOptions& options, const std::string& model) {
  const std::string other = session.values.text("kl-against");
  core::EngineOptions other_options = options;
  if (other != "reference") return load_model(session, other, other_options);
  other_options.precision = core::Precision::reference;
  return load_model(session, model, other_options);
}

Json score_json(const Score& score) {
  const double nll = score.nll / static_cast<double>(score.tokens);
  return {{"nll", nll}, {"ppl", std::exp(nll)}, {"tokens", score.tokens}};
}

Json result_json(const std::vector<Subject>& subjects, const Divergence& divergence, const std::string& against) {
  Json out = score_json(subjects[0].score);
  out["isa"] = subjects[0].engine->info().isa;
  out["parameters"] = subjects[0].engine->info().parameters;
  if (subjects.size() < 2) return out;
  const auto tokens = static_cast<double>(divergence.tokens);
  out["kl"] = divergence.kl / tokens;
  out["kl_max"] = divergence.kl_largest;
  out["top1_agreement"] = static_cast<double>(divergence.same_top) / tokens;
  out["against"] = score_json(subjects[1].score);
  out["against"]["model"] = against;
  out["ppl_ratio"] = out["ppl"].get<double>() / out["against"]["ppl"].get<double>();
  return out;
}

std::string result_text(const Json& result) {
  const auto line = [](std::string_view label, const std::string& value) { return pad(label, 24) + value + "\n"; };
  std::string out = line("tokens scored", result["tokens"].dump());
  out += line("nats per token", show_fixed(result["nll"].get<double>(), 5));
  out += line("perplexity", show_fixed(result["ppl"].get<double>(), 4));
  if (!result.contains("kl")) return out;
  out += line("perplexity of the other", show_fixed(result["against"]["ppl"].get<double>(), 4));
  out += line("perplexity, ratio", show_fixed(result["ppl_ratio"].get<double>(), 5));
  out += line("KL divergence, mean", show_fixed(result["kl"].get<double>(), 6) + " nats");
  out += line("KL divergence, largest", show_fixed(result["kl_max"].get<double>(), 4) + " nats");
  out += line("same likeliest token", show_fixed(result["top1_agreement"].get<double>() * 100, 2) + " %");
  return out;
}

Status run(Session& session) {
  const Values& values = session.values;
  const auto window = static_cast<size_t>(values.is_set("ctx") ? values.integer("ctx") : default_window);
  if (window < 2) return Error{ErrorCode::invalid_argument, "--ctx: a window needs at least 2 tokens"};
  if (values.text("text").empty()) return Error{ErrorCode::invalid_argument, "--text is missing; name a file"};
  INGLE_TRY(const std::string text,
            base::read_file(expand_home(values.text("text"), session.environment), max_text_bytes));

  INGLE_TRY(const std::string model, model_or_default(session));
  core::EngineOptions options = engine_options(session);
  options.context_length = static_cast<uint32_t>(window);
  INGLE_TRY(const LoadedModel loaded, load_model(session, model, options));
  INGLE_TRY(const auto windows,
            cut_windows(loaded.engine->tokenizer(), text, window, static_cast<size_t>(values.integer("windows"))));
  LoadedModel other;  // before the subjects, whose sequences must not outlive their engines
  std::vector<Subject> subjects(1);
  subjects[0].engine = loaded.engine.get();
  const std::string against = values.text("kl-against");
  if (!against.empty()) {
    INGLE_TRY(other, load_other(session, options, model));
    INGLE_TRY(const auto same, cut_windows(other.engine->tokenizer(), text, window, windows.size()));
    if (same != windows) return different_vocabularies(against);
    subjects.emplace_back().engine = other.engine.get();
  }
  for (Subject& subject : subjects) {
    INGLE_TRY(subject.sequence, subject.engine->new_sequence());
  }

  ProgressLine line(session.terminal);
  Divergence divergence;
  for (size_t i = 0; i < windows.size(); ++i) {
    INGLE_CHECK(score_window(windows[i], subjects, divergence, loaded.engine->info().threads));
    if (session.terminal.options().progress_bars) {
      line.update("evaluating", static_cast<double>(i + 1) / static_cast<double>(windows.size()),
                  std::to_string(i + 1) + " of " + std::to_string(windows.size()) + " windows");
    }
  }
  line.clear();
  const Json result = result_json(subjects, divergence, against);
  return session.json() ? session.out_json(result) : session.terminal.out(result_text(result));
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path; without one the default is used", .type = ValueType::model}};
constexpr Option options[] = {
    {.name = "text", .type = ValueType::path, .metavar = "FILE", .help = "the text to predict"},
    {.name = "kl-against",
     .type = ValueType::model,
     .metavar = "reference|MODEL",
     .help = "also compare each prediction with the reference path, or with another model",
     .asked = "kl-against"},
    {.name = "windows",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "only the first N windows; 0: all",
     .fallback = "0",
     .minimum = 0,
     .maximum = 1e9},
    json_option,
};
constexpr Example examples[] = {
    {"ingle eval smollm2-135m --text book.txt --ctx 512 --json", "{\"nll\": ..., \"ppl\": ..., \"tokens\": ...}"},
    {"ingle eval smollm2-135m --text book.txt --kl-against reference", "What the fast arithmetic costs."},
};

}  // namespace

extern const Command eval_record;
const Command eval_record{
    .name = "eval",
    .summary = "measure how well a model predicts a text",
    .description =
        "The text is cut into windows of --ctx tokens (512 unless given) that do not overlap, each with BOS first "
        "where "
        "the model's metadata says so. Every token but a window's first is scored; a partial last window is dropped; "
        "special tokens in the text are plain text. The result is the mean in nats, and its exponential, the "
        "perplexity.\n\n--kl-against streams two models side by side and reports the mean divergence KL(other || "
        "MODEL) "
        "in nats and how often both prefer the same token.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 60,
    .run = run,
};

}  // namespace ingle::cli
