// A pass over 1 + d rows gives 1 + p + p^2 + ... + p^d tokens where each proposed token is right with probability p. p
// is learnt for each source from what became of its proposals (of a lookup also where none was computed, as it costs
// nothing), what passes take is measured: d is what gives the most tokens a second, often 0.
#include "core/engine/speculation.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace ingle::core {

using base::Error;
using base::ErrorCode;
using Clock = std::chrono::steady_clock;

namespace {

bool same_vocabulary(const Tokenizer& one, const Tokenizer& other) {
  if (one.vocabulary_size() != other.vocabulary_size()) return false;
  for (TokenId id = 0; static_cast<uint32_t>(id) < one.vocabulary_size(); ++id)
    if (one.token_text(id) != other.token_text(id)) return false;
  return true;
}

/// Of the two best, best first. -1: it is not that far ahead of the second, or no token (rows of the model's matrix
/// beyond the tokenizer's tokens only fill it up).
TokenId likeliest(std::span<const TokenLogit> best, float ahead, uint32_t tokens) {
  const bool is_token = best[0].id >= 0 && static_cast<uint32_t>(best[0].id) < tokens;
  return is_token && best[0].logit - best[1].logit >= ahead ? best[0].id : -1;
}

}  // namespace

DraftModel::DraftModel(Engine& engine, std::unique_ptr<Sequence> sequence)
    : engine_(engine), sequence_(std::move(sequence)) {
  held_.reserve(sequence_->capacity());
}

base::Result<std::unique_ptr<DraftModel>> DraftModel::create(const Engine& engine, Engine& draft) {
  if (!same_vocabulary(engine.tokenizer(), draft.tokenizer()))
    return Error{ErrorCode::invalid_argument,
                 "the draft model has another vocabulary; take a smaller model of the same family"};
  INGLE_TRY(std::unique_ptr<Sequence> sequence, draft.new_sequence());
  return std::unique_ptr<DraftModel>(new DraftModel(draft, std::move(sequence)));
}

base::Status DraftModel::start(std::span<const TokenId> text, const std::function<bool()>& cancelled) {
  if (text.size() <= sequence_->capacity()) INGLE_CHECK(hold(text, cancelled));
  return {};
}

base::Status DraftModel::propose(std::span<const TokenId> text, size_t most, float ahead, std::vector<TokenId>& out) {
  if (text.size() + most > sequence_->capacity()) return {};
  INGLE_TRY(std::span<const TokenLogit> best, hold(text, {}));
  for (size_t n = 0; n < most; ++n) {
    const TokenId token = likeliest(best, ahead, engine_.tokenizer().vocabulary_size());
    if (token < 0) break;
    out.push_back(token);
    if (n + 1 == most) break;
    INGLE_TRY(best, forward({&token, 1}, {}));
  }
  return {};
}

base::Result<std::span<const TokenLogit>> DraftModel::forward(std::span<const TokenId> tokens,
                                                              const std::function<bool()>& cancelled) {
  INGLE_TRY(const auto best, engine_.forward_best(*sequence_, tokens, LogitRows::last, 2, cancelled));
  held_.insert(held_.end(), tokens.begin(), tokens.end());
  return best;
}

// At least the text's last token is computed, for what follows it.
base::Result<std::span<const TokenLogit>> DraftModel::hold(std::span<const TokenId> text,
                                                           const std::function<bool()>& cancelled) {
  const auto end = std::mismatch(held_.begin(), held_.end(), text.begin(), text.end()).first;
  const auto same = std::min<size_t>(static_cast<size_t>(end - held_.begin()), text.size() - 1);
  held_.resize(sequence_->truncate(static_cast<uint32_t>(same)));
  return forward(text.subspan(held_.size()), cancelled);
}

PromptLookup::PromptLookup(size_t capacity) : latest_(std::bit_ceil(capacity + 1)) {
  text_.reserve(capacity);
  previous_.reserve(capacity + 1);
  previous_.push_back(0);
}

size_t PromptLookup::slot(size_t end) const {
  const uint64_t pair = uint64_t{static_cast<uint32_t>(text_[end - 2])} << 32 | static_cast<uint32_t>(text_[end - 1]);
  return (pair * 0x9E3779B97F4A7C15) >> 32 & (latest_.size() - 1);  // Fibonacci hashing
}

void PromptLookup::accept(TokenId token) {
  text_.push_back(token);
  const size_t end = text_.size();
  previous_.push_back(0);
  if (end >= 2) previous_[end] = std::exchange(latest_[slot(end)], static_cast<uint32_t>(end));
}

size_t PromptLookup::propose(size_t most, std::vector<TokenId>& out) const {
  constexpr size_t kLongest = 64, kCandidates = 64;
  const size_t end = text_.size();
  if (end < 2 || most == 0) return 0;
  const auto matching = [&](size_t other) {  // tokens before both ends
    size_t n = 0;
    while (n < kLongest && n < other && text_[other - 1 - n] == text_[end - 1 - n]) ++n;
    return n;
  };
  size_t best = 0, longest = 1;
  uint32_t candidate = previous_[end];
  for (size_t i = 0; i < kCandidates && candidate != 0; ++i, candidate = previous_[candidate])
    if (const size_t length = matching(candidate); length > longest) {
      longest = length;
      best = candidate;
    }
  if (best == 0) return 0;
  // Where what followed reaches the text's end, it goes on as it does then: a repetition repeats.
  const size_t start = out.size();
  for (size_t i = 0; i < most; ++i) out.push_back(best + i < end ? text_[best + i] : out[start + best + i - end]);
  return longest;
}

void PassTimes::add(size_t rows, double seconds) {
  ++now_;
  Pass& pass = passes_[rows];
  if (!known(rows)) pass.count = 0;
  pass.seconds[pass.count++ % kKept] = seconds;
  pass.at = now_;
}

double PassTimes::shortest(size_t rows) const {
  const Pass& pass = passes_[rows];
  return *std::min_element(pass.seconds.begin(),
                           pass.seconds.begin() + static_cast<ptrdiff_t>(std::min(pass.count, kKept)));
}

double PassTimes::of(size_t rows) const {
  size_t nearest = rows;
  while (!known(nearest)) --nearest;
  return shortest(nearest) + static_cast<double>(rows - nearest) * kGuessedPerRow * single();
}

Speculation::Speculation(const SpeculationOptions& options, size_t capacity)
    : lookup_(capacity), look_up_(options.lookup), always_(options.always), draft_(options.draft) {
  proposed_.reserve(kSpeculationRows);
}

base::Status Speculation::start(std::span<const TokenId> prompt, const std::function<bool()>& cancelled) {
  for (const TokenId token : prompt) lookup_.accept(token);
  return draft_ != nullptr ? draft_->start(prompt, cancelled) : base::Status();
}

void Speculation::accept(TokenId token) {
  lookup_.accept(token);
  if (draft_pause_ > 0) --draft_pause_;
  if (next_ >= proposed_.size()) return;
  const bool right = proposed_[next_] == token;
  odds_[source_].add(right);
  next_ = right ? next_ + 1 : proposed_.size();
}

Speculation::Choice Speculation::choose(const Odds& odds, double seconds_each, size_t most) const {
  if (always_) return {most, 1};
  Choice best{0, 1 / times_.single()};
  double tokens = 1, chance = 1;
  for (size_t n = 1; n <= most; ++n) {
    chance *= odds.right();
    tokens += chance;
    const double rate = tokens / (times_.of(1 + n) + static_cast<double>(n) * seconds_each);
    if (rate > best.rate) best = {n, rate};
  }
  return best;
}

void Speculation::propose(size_t most, std::vector<TokenId>& pass) {
  proposed_.clear();
  next_ = 0;
  if (times_.single() == 0 && !always_) return;  // what proposing costs is not known yet
  const size_t matched = look_up_ ? lookup_.propose(most, proposed_) : 0;
  Choice looked_up;
  if (matched > 0) {
    source_ = std::min<size_t>(std::bit_width(matched) - 2, kLookups - 1);
    looked_up = choose(odds_[source_], 0, most);
  }
  if (draft_ != nullptr && most > 0) {
    const Choice drafted = choose(odds_[kDraft], draft_seconds_, most);
    const bool try_again = looked_up.proposals == 0 && draft_pause_ == 0;
    if (drafted.proposals > 0 ? drafted.rate > looked_up.rate : try_again)
      return propose_drafted(std::max<size_t>(drafted.proposals, 1), pass);
  }
  pass.insert(pass.end(), proposed_.begin(), proposed_.begin() + static_cast<ptrdiff_t>(looked_up.proposals));
  // Where none is computed, whether the first would have been right is still worth knowing.
  proposed_.resize(std::min(proposed_.size(), std::max<size_t>(looked_up.proposals, 1)));
}

void Speculation::propose_drafted(size_t count, std::vector<TokenId>& pass) {
  constexpr float kAhead = 0.7f;  // twice as likely
  proposed_.clear();
  source_ = kDraft;
  const size_t behind = draft_->behind(lookup_.text());
  const auto began = Clock::now();
  if (!draft_->propose(lookup_.text(), count, always_ ? 0 : kAhead, proposed_).ok()) {
    draft_ = nullptr;  // the text goes on without it
    proposed_.clear();
    return;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  if (behind <= 2) {  // else most of the time was for what it had to catch up with
    const double each = seconds / static_cast<double>(std::max<size_t>(proposed_.size(), 1));
    draft_seconds_ = draft_seconds_ == 0 ? each : draft_seconds_ + (each - draft_seconds_) / 8;
  }
  pass.insert(pass.end(), proposed_.begin(), proposed_.end());
  // Where it does not pay, it is tried again, ever more seldom.
  if (choose(odds_[kDraft], draft_seconds_, kSpeculationRows - 1).proposals > 0) {
    draft_rest_ = kFirstRest;
  } else {
    draft_rest_ = std::min(draft_rest_ * 2, kLongestRest);
    draft_pause_ = draft_rest_;
  }
}

}  // namespace ingle::core
