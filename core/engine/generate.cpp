// The loop of generation: prefill, then sample, show, forward. Afterwards the sequence holds the prompt and the
// generated tokens, but for the last of them where no further token was computed (it is then shorter by one).
#include "core/engine/generate.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "core/engine/text_stream.h"

namespace ingle::core {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Generation {
 public:
  Generation(Engine& engine, Sequence& sequence, const GenerateOptions& options,
             const std::function<bool(std::string_view)>& on_text, const std::function<bool()>& cancelled)
      : engine_(engine),
        sequence_(sequence),
        options_(options),
        on_text_(on_text),
        cancelled_(cancelled),
        stream_(options.stop_strings) {}

  base::Result<GenerateResult> run(std::span<const TokenId> prompt) {
    const Clock::time_point start = Clock::now();
    INGLE_TRY(const bool prefilled, prefill(prompt));
    result_.prefill_ms = milliseconds_since(start);
    if (!prefilled) return finish(StopReason::cancelled);

    const size_t most = reserve_results();
    sampler_ = make_sampler(options_.sampling, static_cast<uint32_t>(logits_.size()), prompt.size() + most);
    for (const TokenId token : prompt) sampler_->accept(token);
    Clock::time_point first_token{};
    while (true) {
      const TokenId token = sampler_->sample(logits_);
      if (first_token == Clock::time_point{}) {
        first_token = Clock::now();
        result_.first_token_ms = milliseconds_since(start);
      }
      INGLE_TRY(const std::optional<StopReason> reason, take(token));
      if (!reason) continue;
      result_.decode_ms = milliseconds_since(first_token);
      return finish(*reason);
    }
  }

 private:
  /// False: cancelled, and the sequence is as before.
  base::Result<bool> prefill(std::span<const TokenId> prompt) {
    const uint32_t length = sequence_.length();
    if (length >= prompt.size())
      return base::Error{base::ErrorCode::invalid_argument,
                         prompt.empty() ? "the prompt is empty" : "nothing of the prompt is new"};
    result_.prompt_tokens = static_cast<uint32_t>(prompt.size() - length);
    auto logits = engine_.forward(sequence_, prompt.subspan(length), LogitRows::last, cancelled_);
    if (logits) {
      logits_ = *logits;
      return true;
    }
    if (logits.error().code != base::ErrorCode::cancelled) return std::move(logits).error();
    sequence_.truncate(length);
    return false;
  }

  /// Makes room for what will be generated, so that no token waits for memory. Returns how many tokens that are at
  /// most.
  size_t reserve_results() {
    constexpr size_t kBytesPerToken = 8;  // of text; where they are more, it grows
    size_t most = sequence_.capacity() - sequence_.length() + 1;
    if (options_.max_tokens != 0) most = std::min<size_t>(most, options_.max_tokens);
    result_.tokens.reserve(most);
    result_.text.reserve(most * kBytesPerToken);
    return most;
  }

  /// Shows a token and computes the next logits. Returns why generation ends, or nothing.
  base::Result<std::optional<StopReason>> take(TokenId token) {
    using Ends = std::optional<StopReason>;
    const std::vector<TokenId>& stops = engine_.tokenizer().stop_ids();
    if (!options_.ignore_stop_tokens && std::binary_search(stops.begin(), stops.end(), token)) {
      return Ends(StopReason::stop_token);
    }
    sampler_->accept(token);
    result_.tokens.push_back(token);
    const bool wanted = show(stream_.push(engine_.tokenizer().token_bytes(token, options_.show_special)));
    if (stream_.stopped()) return Ends(StopReason::stop_string);
    if (!wanted || (cancelled_ && cancelled_())) return Ends(StopReason::cancelled);
    if (options_.max_tokens != 0 && result_.tokens.size() >= options_.max_tokens) return Ends(StopReason::length);
    if (sequence_.length() >= sequence_.capacity()) return Ends(StopReason::context_full);

    auto logits = engine_.forward(sequence_, {&token, 1}, LogitRows::last, cancelled_);
    if (!logits && logits.error().code == base::ErrorCode::cancelled) return Ends(StopReason::cancelled);
    INGLE_TRY(logits_, std::move(logits));
    return Ends();
  }

  /// False: the listener wants no more.
  bool show(const std::string& text) {
    if (text.empty()) return true;
    result_.text += text;
    return !on_text_ || on_text_(text);
  }

  GenerateResult finish(StopReason reason) {
    show(stream_.finish());
    // What was held back may complete a stop string only now, with the replacement of an unfinished code point.
    result_.reason = stream_.stopped() ? StopReason::stop_string : reason;
    return std::move(result_);
  }

  Engine& engine_;
  Sequence& sequence_;
  const GenerateOptions& options_;
  const std::function<bool(std::string_view)>& on_text_;
  const std::function<bool()>& cancelled_;
  TextStream stream_;
  std::unique_ptr<Sampler> sampler_;
  std::span<float> logits_;
  GenerateResult result_;
};

}  // namespace

base::Result<GenerateResult> generate(Engine& engine, Sequence& sequence, std::span<const TokenId> prompt,
                                      const GenerateOptions& options,
                                      const std::function<bool(std::string_view)>& on_text,
                                      const std::function<bool()>& cancelled) {
  INGLE_CHECK(validate(options.sampling));
  return Generation(engine, sequence, options, on_text, cancelled).run(prompt);
}

}  // namespace ingle::core
