// Byte-pair tokenizers of all three kinds: GPT-2's over bytes, Hugging Face's over characters with byte fallback, and
// SentencePiece's by score.
//
// They differ in what a piece starts as (bytes or characters), in how two neighbours are found to merge (by their ids
// in the merge table, or by their joint spelling in the vocabulary), and in how a text is cut into pieces (by split
// rules, or before spaces wherever no token could lie across the cut, which changes no id and keeps pieces short).
#pragma once

#include <array>

#include "core/tokenizer/text_tokenizer.h"

namespace ingle::core {

class MergeTokenizer final : public TextTokenizer {
 public:
  /// After set_up(). Errors: corrupt.
  base::Status set_up_merging(const TokenizerDefinition& definition);

  std::string decode(std::span<const TokenId> ids, bool show_special) const override;
  uint64_t memory_bytes() const override {
    return TextTokenizer::memory_bytes() + merges_.bytes() + score_ranks_.capacity() * sizeof(uint32_t);
  }

 protected:
  bool needs_normalizing(std::string_view text, Place place) const override;
  std::string normalize(std::string_view text, Place place) const override;
  void encode_normal(std::string_view text, Place place, EncodeScratch& scratch,
                     std::vector<TokenId>& out) const override;
  void encode_byte(unsigned char byte, std::vector<TokenId>& out) const override;
  void append_bytes(TokenId id, std::string& out) const override;

 private:
  struct MergeParts {
    std::string_view left, right;
  };
  struct NamedMerge {
    TokenId left = kNoToken, right = kNoToken;
    Merge merge;
  };
  base::Status read_merges(const TokenizerDefinition& definition);
  base::Result<NamedMerge> find_merge(size_t rank, MergeParts parts);
  base::Status read_scores(const TokenizerDefinition& definition);
  void find_bytes();
  void find_space_crossings();
  bool is_mergeable(TokenId id) const {
    return vocabulary().kind(id) == TokenKind::normal || vocabulary().kind(id) == TokenKind::user_defined;
  }

  void find_space_runs();
  Merge find_scored(std::string_view text) const;
  bool wants_space_prefix(std::string_view text, Place place) const;
  void encode_prefixed(std::string_view text, EncodeScratch& scratch, std::vector<TokenId>& out) const;
  void encode_piece(std::string_view piece, EncodeScratch& scratch, std::vector<TokenId>& out) const;
  void merge_piece(std::string_view piece, EncodeScratch& scratch, std::vector<TokenId>& out) const;
  void start_with_bytes(std::string_view piece, std::vector<Symbol>& symbols) const;
  void start_with_chars(std::string_view piece, std::vector<Symbol>& symbols) const;
  void append_symbols(std::string_view piece, const std::vector<Symbol>& symbols, std::vector<TokenId>& out) const;
  void append_unknown(std::vector<TokenId>& out) const;
  size_t next_cut(std::string_view text, size_t from) const;

  TokenizerModel model_ = TokenizerModel::byte_merges;
  std::vector<const SplitRule*> splits_;
  bool nfc_ = false, ignore_merges_ = false, fuse_unknown_ = false;
  bool escape_spaces_ = false, split_at_spaces_ = false, strip_space_ = false, collapse_spaces_ = false;
  SpacePrefix space_prefix_ = SpacePrefix::never;

  MergeTable merges_;
  TokenId last_merged_ = kNoToken;         ///< while merges are read
  std::vector<uint32_t> score_ranks_;      ///< by token: lower for better scores
  std::vector<TokenId> space_runs_;        ///< by length: user-defined tokens spelt as that many spaces
  std::array<TokenId, 256> byte_ids_{};    ///< kNoToken where the vocabulary lacks one
  bool all_bytes_ = false;                 ///< every byte has a token
  std::array<bool, 256> crosses_space_{};  ///< some token has this byte right before a U+2581
};

}  // namespace ingle::core
