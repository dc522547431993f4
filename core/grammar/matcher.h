// Which tokens may come next in a reply that a grammar governs. Usage:
//   auto constraint = Constraint::make(grammar, trie);      // once for a grammar and a tokenizer; shared by threads
//   Matcher matcher(constraint);                            // one for each reply
//   while (!matcher.ended()) { matcher.fill_mask(bits); ...choose a token...; matcher.accept(token); }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/grammar/grammar.h"
#include "core/grammar/reading.h"
#include "core/grammar/token_trie.h"

namespace ingle::core {

class MaskCache;

/// A grammar over a vocabulary, with the masks that were costly to find. Thread-safe.
class Constraint {
 public:
  /// `cache_bytes` bounds what is kept of masks; the answers don't depend on it.
  static std::shared_ptr<const Constraint> make(const Grammar& grammar, std::shared_ptr<const TokenTrie> trie,
                                                uint64_t cache_bytes = uint64_t{64} << 20);
  ~Constraint();
  const grammar::Program& program() const { return *program_; }
  const TokenTrie& trie() const { return *trie_; }
  MaskCache& cache() const { return *cache_; }

 private:
  Constraint(std::shared_ptr<const grammar::Program> program, std::shared_ptr<const TokenTrie> trie, uint64_t bytes);
  std::shared_ptr<const grammar::Program> program_;
  std::shared_ptr<const TokenTrie> trie_;
  std::unique_ptr<MaskCache> cache_;
};

/// Follows one reply. Copy it to fork; a copy costs a few hundred bytes (and the reply's text, where a grammar has
/// items that must differ) and is independent. Not for two threads at once.
class Matcher {
 public:
  explicit Matcher(std::shared_ptr<const Constraint> constraint);

  /// Words of 32 bits that fill_mask writes: token i is bit i % 32 of word i / 32.
  size_t mask_words() const { return constraint_->trie().mask_words(); }

  /// Overwrites the first mask_words() of `bits`, which must be that long: 1 for each token that may come next. Stop
  /// tokens may come exactly when complete(). After the end, none.
  void fill_mask(std::span<uint32_t> bits) const;

  /// Takes a token. False, and nothing changes, if it may not come here.
  bool accept(TokenId token);

  /// Takes text, byte by byte, as tokens of its pieces would; control tokens can't be written so. False, and nothing
  /// changes, if it may not come here.
  bool accept_text(std::string_view text);

  /// Whether the reply may end here.
  bool complete() const { return complete_ && !ended_; }

  /// Whether nothing but a stop token may come.
  bool must_end() const { return readings_.empty(); }

  /// Whether a stop token was taken.
  bool ended() const { return ended_; }

  /// The text that must come next, whatever the tokens: at most `max_bytes`; empty where there is a choice. It may end
  /// inside a code point.
  std::string forced(size_t max_bytes = 256) const;

 private:
  bool accept_bytes(std::string_view bytes);
  bool is_stop(TokenId token) const;

  std::shared_ptr<const Constraint> constraint_;
  std::vector<grammar::Reading> readings_;
  grammar::ReturnStack stack_;
  size_t live_nodes_ = 0;  ///< after the last compaction
  bool complete_ = false, ended_ = false;
};

}  // namespace ingle::core
