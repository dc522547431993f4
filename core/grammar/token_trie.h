// A vocabulary as a tree of bytes, so that a grammar looks at a prefix once for all tokens that share it. Built once
// per tokenizer; immutable; share it between threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

class TokenTrie {
 public:
  /// Longer tokens are left out: their text can be written with others.
  static constexpr size_t kMaxTokenBytes = 512;

  /// Normal, user-defined and byte tokens stand for their bytes; control tokens for their spelling between two marks
  /// that no text contains; unknown and unused ones, and those without bytes, are left out.
  explicit TokenTrie(const Tokenizer& tokenizer);

  /// For tests: each token's bytes, and which tokens are control tokens.
  TokenTrie(const std::vector<std::string>& tokens, const std::vector<bool>& control, std::vector<TokenId> stop_ids);

  uint32_t vocabulary_size() const { return static_cast<uint32_t>(begin_.size() - 1); }
  const std::vector<TokenId>& stop_ids() const { return stop_ids_; }
  /// What a token stands for, marks included; empty for those left out and ids out of range.
  std::string_view bytes(TokenId id) const;
  uint64_t memory_bytes() const;

  // For the matcher. Nodes lie in preorder, so a subtree is a range; the tree of "plain" tokens comes first, then that
  // of the others. A plain token is whole code points, none of which JSON escapes in a string.
  struct Node {
    uint32_t end;     ///< one past the subtree's last node
    uint32_t tokens;  ///< into ordered(): this node's tokens end where the next node's begin
    uint16_t depth;   ///< bytes from the root; 1: a first byte
    uint8_t byte;
  };
  std::span<const Node> nodes() const { return {nodes_.data(), nodes_.size() - 1}; }
  uint32_t plain_end() const { return plain_end_; }  ///< of the nodes
  std::span<const TokenId> tokens_at(uint32_t node) const {
    return {ordered_.data() + nodes_[node].tokens, ordered_.data() + nodes_[node + 1].tokens};
  }
  std::span<const TokenId> tokens_below(uint32_t node) const {  ///< and at it
    return {ordered_.data() + nodes_[node].tokens, ordered_.data() + nodes_[nodes_[node].end].tokens};
  }
  /// The bytes that lead to a node.
  std::string_view path(uint32_t node) const {
    return bytes(ordered_[nodes_[node].tokens]).substr(0, nodes_[node].depth);
  }
  /// The plain tokens of at most `code_points`, as bits.
  void add_plain(uint32_t code_points, std::span<uint32_t> bits) const;
  uint32_t longest_plain() const { return static_cast<uint32_t>(plain_masks_.size() - 1); }
  uint32_t longest_token() const { return longest_token_; }  ///< in bytes, with marks
  size_t mask_words() const { return (vocabulary_size() + 31) / 32; }

 private:
  void build(const std::vector<bool>& plain);
  void add_subtree(std::span<const TokenId> sorted);

  std::string text_;             ///< of all tokens
  std::vector<uint32_t> begin_;  ///< of each token, and the end of the last
  std::vector<Node> nodes_;      ///< and one more, which ends the last one's tokens
  std::vector<TokenId> ordered_;
  std::vector<TokenId> stop_ids_;
  uint32_t plain_end_ = 0, longest_token_ = 0;
  std::vector<std::vector<uint32_t>> plain_masks_;  ///< by the number of code points
};

}  // namespace ingle::core
