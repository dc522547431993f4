// Finding the tokens that may come next. Internal to the module.
//
// A token may come if some reading takes all its bytes, so each reading is looked at by itself and the answers are
// joined. The walk goes down the token tree and skips what no reading takes.
//
// Most time would go into the insides of JSON strings, where nearly all tokens are possible. Two things keep that
// cheap:
//  - A state of a deterministic automaton allows the same tokens wherever it is met, up to those that run past the
//    rule's end or into a rule that it calls. Its mask, and the tree's nodes where that happens, are kept (as XGrammar
//    does, Dong et al. 2024); at another place only what follows those nodes is walked.
//    Of a distinct rule (reading.h) the mask is kept as if nothing had been seen; what leads only to texts that were
//    seen lies along those texts in the tree, and is taken off each time.
//  - Where every plain code point leads back to the same state, plain tokens are allowed without a look at them
//    (as llguidance's slices). Under a counter, those with few enough code points.
#pragma once

#include <bit>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/grammar/matcher.h"

namespace ingle::core {

/// What a state allows by itself.
struct StateMask {
  std::vector<uint32_t> bits;   ///< of all tokens; empty if `tokens` is used
  std::vector<TokenId> tokens;  ///< those allowed, where they are few
  struct Exit {
    uint32_t node;    ///< of the tree, with a subtree
    uint32_t state;   ///< reached there; it may end or calls rules
    uint32_t rounds;  ///< started since
  };
  std::vector<Exit> exits;
  uint64_t memory_bytes() const {
    return sizeof(StateMask) + bits.size() * 4 + tokens.size() * 4 + exits.size() * sizeof(Exit);
  }
};

/// Masks that were costly to find. When full it starts anew.
class MaskCache {
 public:
  struct Key {
    uint32_t state;
    uint32_t left;  ///< rounds that may come, of a counted rule; no more than make a difference
    uint32_t need;  ///< rounds that must
    bool operator==(const Key&) const = default;
  };

  explicit MaskCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}
  std::shared_ptr<const StateMask> find(const Key& key) const;
  void insert(const Key& key, const std::shared_ptr<const StateMask>& mask);

 private:
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  const uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<const StateMask>, Hash> masks_;  // under mutex_
  uint64_t bytes_ = 0;                                                     // under mutex_
};

/// One question. The stack is used as scratch and left as it was.
class MaskWalk {
 public:
  MaskWalk(const Constraint& constraint, grammar::ReturnStack& stack, std::span<uint32_t> bits);
  void run(std::span<const grammar::Reading> readings);

 private:
  using Reading = grammar::Reading;

  void add_state(const Reading& reading);
  std::vector<TokenId> seen_tokens(const Reading& reading);
  void add_seen_tokens(uint32_t begin, uint32_t end, const Reading& reading, std::string_view rest,
                       std::vector<TokenId>& out);
  /// Sets the stack's text to what it is at this node of the tree.
  void read_to(uint32_t node);
  std::shared_ptr<const StateMask> state_mask(const Reading& reading);
  std::shared_ptr<StateMask> find_mask(const Reading& reading);
  MaskCache::Key key_of(const Reading& reading) const;
  bool plain_returns(uint32_t state);
  bool returns_under(uint32_t state, uint32_t loop, unsigned utf8, std::vector<std::pair<uint32_t, unsigned>>& seen);

  /// All of the nodes [begin, end), which are whole subtrees, below a place where the readings [first, last) of pool_
  /// stand.
  void walk(uint32_t begin, uint32_t end, size_t first, size_t last);
  void walk_generic(uint32_t begin, uint32_t end, size_t first, size_t last);
  /// The same for one reading of a deterministic automaton. Where it may go on beyond its own edges: notes it in
  /// `exits`, or goes on there if null.
  void walk_one(uint32_t begin, uint32_t end, const Reading& reading, std::vector<StateMask::Exit>* exits);
  void allow(uint32_t node);

  /// What comes beyond a reading, on top of pool_; made anew only for another one.
  class Beyond;

  const Constraint& constraint_;
  const grammar::Program& program_;
  const TokenTrie& trie_;
  grammar::ReturnStack& stack_;
  grammar::Reader reader_;
  std::span<uint32_t> bits_;
  std::vector<Reading> pool_;
  struct Place {
    uint32_t state, count;
  };
  std::vector<Place> path_;
  uint64_t visited_ = 0;
  const bool distinct_;     ///< whether there are distinct rules
  const size_t text_size_;  ///< of the stack's text, at the tree's root
};

}  // namespace ingle::core
