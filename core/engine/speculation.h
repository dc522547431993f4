// Speculation: tokens that probably come next are computed in one pass with the token before them. Each is then sampled
// as without it, from the same logits, so that the text is the same; what was proposed wrongly is taken back. A pass
// over eight rows costs little more than one over one row, since both read the weights once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/engine/engine.h"

namespace ingle::core {

/// Rows of a pass with proposals: as many as give the same bits whatever their number.
inline constexpr size_t kSpeculationRows = 8;

/// A small model of the same vocabulary that proposes what it would say. It holds a text, and keeps it for the next
/// call.
class DraftModel {
 public:
  /// `draft` proposes for `engine` and outlives what is made. Errors: invalid_argument (another vocabulary);
  /// out_of_memory.
  static base::Result<std::unique_ptr<DraftModel>> create(const Engine& engine, Engine& draft);

  /// Computes what it does not hold of a text. Errors: as Engine::forward.
  base::Status start(std::span<const TokenId> text, const std::function<bool()>& cancelled);
  /// Appends at most `most` tokens that may follow `text`: none from where the likeliest is not `ahead` of the second
  /// (natural logarithm of the quotient of their probabilities), or where its context ends. Errors: as Engine::forward.
  base::Status propose(std::span<const TokenId> text, size_t most, float ahead, std::vector<TokenId>& out);
  /// Tokens of `text` that it has to compute before it can propose.
  size_t behind(std::span<const TokenId> text) const { return text.size() - std::min(text.size(), held_.size()); }

 private:
  DraftModel(Engine& engine, std::unique_ptr<Sequence> sequence);
  /// Of what follows, the two likeliest.
  base::Result<std::span<const TokenLogit>> hold(std::span<const TokenId> text, const std::function<bool()>& cancelled);
  base::Result<std::span<const TokenLogit>> forward(std::span<const TokenId> tokens,
                                                    const std::function<bool()>& cancelled);

  Engine& engine_;
  std::unique_ptr<Sequence> sequence_;
  std::vector<TokenId> held_;
};

/// What followed the longest earlier occurrence of a text's last tokens ("prompt lookup").
class PromptLookup {
 public:
  explicit PromptLookup(size_t capacity);
  void accept(TokenId token);
  std::span<const TokenId> text() const { return text_; }
  /// Appends `most` tokens. Returns how many of the text's last tokens occurred there before; 0: fewer than two, and
  /// nothing is appended.
  size_t propose(size_t most, std::vector<TokenId>& out) const;

 private:
  size_t slot(size_t end) const;  ///< of the two tokens before `end`

  std::vector<TokenId> text_;
  std::vector<uint32_t> latest_;    ///< by slot: the end of the latest pair, 0: none
  std::vector<uint32_t> previous_;  ///< by end: the end of the pair before it of the same slot
};

/// What a pass takes, by its rows, as measured lately.
class PassTimes {
 public:
  void add(size_t rows, double seconds);
  /// 0: not known.
  double single() const { return known(1) ? shortest(1) : 0; }
  /// Of passes that were not measured lately: a guess from the nearest with fewer rows. single() is known.
  double of(size_t rows) const;

 private:
  static constexpr size_t kKept = 3;              // the shortest of them: others may use the machine
  static constexpr uint64_t kForgotten = 256;     // passes after which a measurement says nothing any more
  static constexpr double kGuessedPerRow = 0.05;  // of a single row's time

  bool known(size_t rows) const { return passes_[rows].count != 0 && now_ - passes_[rows].at < kForgotten; }
  double shortest(size_t rows) const;

  struct Pass {
    std::array<double, kKept> seconds = {};
    size_t count = 0;
    uint64_t at = 0;
  };
  std::array<Pass, kSpeculationRows + 1> passes_;
  uint64_t now_ = 0;
};

/// How often what a source proposes is right.
class Odds {
 public:
  explicit Odds(double first) : right_(first) {}
  void add(bool right) { right_ += ((right ? 1.0 : 0.0) - right_) / kMemory; }
  double right() const { return right_; }

 private:
  static constexpr double kMemory = 12;  // tokens
  double right_;
};

struct SpeculationOptions {
  bool lookup = false;          ///< propose what followed the last tokens earlier in the text
  DraftModel* draft = nullptr;  ///< nullptr: none
  bool always = false;          ///< as many as possible, whether it pays or not, to test
  bool any() const { return lookup || draft != nullptr; }
};

/// Decides for each pass what to propose, if anything pays.
class Speculation {
 public:
  /// `capacity`: the longest text.
  Speculation(const SpeculationOptions& options, size_t capacity);

  /// The text before generation. Errors: as Engine::forward.
  base::Status start(std::span<const TokenId> prompt, const std::function<bool()>& cancelled);
  /// The token that follows.
  void accept(TokenId token);
  /// Appends at most `most` tokens that may follow the text.
  void propose(size_t most, std::vector<TokenId>& pass);
  /// A pass of so many rows took that long.
  void measured(size_t rows, double seconds) { times_.add(rows, seconds); }

 private:
  /// How many proposals give the most tokens a second, and how many these are.
  struct Choice {
    size_t proposals = 0;
    double rate = 0;
  };
  Choice choose(const Odds& odds, double seconds_each, size_t most) const;
  void propose_drafted(size_t count, std::vector<TokenId>& pass);

  // Matches of 2 to 3, 4 to 7, 8 to 15 and 16 tokens or more; the draft model.
  static constexpr size_t kLookups = 4, kDraft = 4, kFirstRest = 16, kLongestRest = 512;

  PromptLookup lookup_;
  const bool look_up_, always_;
  DraftModel* draft_;
  PassTimes times_;
  std::array<Odds, kLookups + 1> odds_ = {Odds(0.2), Odds(0.5), Odds(0.7), Odds(0.8), Odds(0.7)};
  double draft_seconds_ = 0;                          ///< for a proposed token
  size_t draft_pause_ = 0, draft_rest_ = kFirstRest;  ///< tokens until it is tried again; … after the next failure
  size_t source_ = 0;                                 ///< of proposed_, as in odds_
  std::vector<TokenId> proposed_;                     ///< what the next tokens are compared with
  size_t next_ = 0;
};

}  // namespace ingle::core
