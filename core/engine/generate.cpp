// The loop of generation: prefill, then sample, show, forward. Afterwards the sequence holds the prompt and the
// generated tokens, but for the last of them where no further token was computed (it is then shorter by one). A pass
// may compute proposed tokens too: their logits are waiting where they turn out right, else they are taken back. Where
// the sampler looks only at the best logits, only these are kept of each row.
#include "core/engine/generate.h"

#include <algorithm>
#include <chrono>
#include <memory>

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
        vocabulary_size_(engine.info().vocabulary_size),
        best_count_(best_needed(options.sampling, vocabulary_size_)),
        reply_(engine.tokenizer(), options) {}

  base::Result<GenerateResult> run(std::span<const TokenId> prompt) {
    const Clock::time_point start = Clock::now();
    INGLE_TRY(const bool prefilled, prefill(prompt));
    result_.prefill_ms = milliseconds_since(start);
    if (!prefilled) return finish(StopReason::cancelled);

    const size_t most = reserve_results();
    sampler_ = make_sampler(options_.sampling, vocabulary_size_, prompt.size() + most);
    for (const TokenId token : prompt) sampler_->accept(token);
    pass_.reserve(kSpeculationRows);
    Clock::time_point first_token{};
    while (true) {
      const TokenId token = sample();
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
    base::Status status = start_speculation(prompt);
    if (status.ok()) status = forward(prompt.subspan(length), LogitRows::last);
    if (status.ok()) {
      held_ = sequence_.length();
      return true;
    }
    sequence_.truncate(length);
    if (status.error().code != base::ErrorCode::cancelled) return std::move(status).error();
    return false;
  }

  base::Status start_speculation(std::span<const TokenId> prompt) {
    if (!options_.speculation.any()) return {};
    speculation_ = std::make_unique<Speculation>(options_.speculation, sequence_.capacity() + 1);
    return speculation_->start(prompt, cancelled_);
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
    if (reply_.ends_with(token)) return Ends(StopReason::stop_token);
    sampler_->accept(token);
    if (speculation_) speculation_->accept(token);
    result_.tokens.push_back(token);
    const size_t shown = result_.text.size();
    const Ends ends = reply_.take(token, result_.text);
    const bool wanted = show(shown);
    if (ends == StopReason::stop_string) return ends;
    if (!wanted || (cancelled_ && cancelled_())) return Ends(StopReason::cancelled);
    if (ends) return ends;
    if (held_ >= sequence_.capacity()) return Ends(StopReason::context_full);

    base::Status computed = compute(token);
    if (!computed.ok() && computed.error().code == base::ErrorCode::cancelled) return Ends(StopReason::cancelled);
    INGLE_CHECK(std::move(computed));
    return Ends();
  }

  /// The logits after the text's last token, row_ of the pass.
  base::Status compute(TokenId token) {
    if (row_ + 1 < pass_.size() && pass_[row_ + 1] == token) {
      ++held_;
      ++result_.taken_tokens;
      ++row_;
      return {};
    }
    take_back();
    row_ = 0;
    pass_.assign(1, token);
    if (speculation_) speculation_->propose(room_for_proposals(), pass_);
    const Clock::time_point start = Clock::now();
    base::Status computed = forward(pass_, LogitRows::all);
    if (!computed.ok() && pass_.size() > 1 && computed.error().code == base::ErrorCode::out_of_memory) {
      speculation_.reset();  // the logits of one row are there
      pass_.resize(1);
      computed = forward(pass_, LogitRows::all);
    }
    INGLE_CHECK(std::move(computed));
    if (speculation_) speculation_->measured(pass_.size(), milliseconds_since(start) / 1000);
    result_.proposed_tokens += static_cast<uint32_t>(pass_.size() - 1);
    ++held_;
    return {};
  }

  base::Status forward(std::span<const TokenId> tokens, LogitRows rows) {
    if (best_count_ > 0) {
      INGLE_TRY(best_, engine_.forward_best(sequence_, tokens, rows, best_count_, cancelled_));
    } else {
      INGLE_TRY(logits_, engine_.forward(sequence_, tokens, rows, cancelled_));
    }
    return {};
  }

  TokenId sample() {
    if (best_count_ > 0) return sampler_->sample_best(best_.subspan(row_ * best_count_, best_count_));
    return sampler_->sample(logits_.subspan(row_ * vocabulary_size_, vocabulary_size_));
  }

  size_t room_for_proposals() const {
    size_t room = std::min<size_t>(kSpeculationRows - 1, sequence_.capacity() - held_ - 1);
    if (options_.max_tokens != 0) room = std::min<size_t>(room, options_.max_tokens - result_.tokens.size() - 1);
    return room;
  }

  /// Proposed tokens that did not become part of the text.
  void take_back() {
    if (sequence_.length() > held_) sequence_.truncate(held_);
  }

  /// What the text has behind its first `shown` bytes. False: the listener wants no more.
  bool show(size_t shown) {
    if (result_.text.size() == shown) return true;
    return !on_text_ || on_text_(std::string_view(result_.text).substr(shown));
  }

  GenerateResult finish(StopReason reason) {
    take_back();
    const size_t shown = result_.text.size();
    result_.reason = reply_.finish(reason, result_.text);
    show(shown);
    return std::move(result_);
  }

  Engine& engine_;
  Sequence& sequence_;
  const GenerateOptions& options_;
  const std::function<bool(std::string_view)>& on_text_;
  const std::function<bool()>& cancelled_;
  const uint32_t vocabulary_size_;
  const uint32_t best_count_;  ///< 0: the sampler wants whole rows of logits
  Reply reply_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<Speculation> speculation_;
  uint32_t held_ = 0;          ///< tokens of the text that the sequence holds; behind them it may hold proposed ones
  std::vector<TokenId> pass_;  ///< what was computed last: a token of the text and proposed ones
  std::span<float> logits_;    ///< … rows of logits, of the prompt its last token's
  std::span<const TokenLogit> best_;  ///< … or of the best of them
  size_t row_ = 0;                    ///< … how many of the proposed ones were right so far
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
