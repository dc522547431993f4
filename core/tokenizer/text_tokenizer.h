// What every tokenizer shares: the vocabulary, added tokens, invalid UTF-8, special ids, and the outline of encoding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/definition.h"
#include "core/tokenizer/merge.h"
#include "core/tokenizer/vocabulary.h"

namespace ingle::core {

inline constexpr std::string_view kSpaceMark = "\u2581";  // "▁" stands for a space in SentencePiece's vocabularies

/// The pieces met in one encode call and their ids. Words repeat, so this saves most of the merging.
class PieceCache {
 public:
  static constexpr size_t kLongestPiece = 24;
  static constexpr size_t kMostIds = 6;

  struct Entry {
    char piece[kLongestPiece];
    TokenId ids[kMostIds];
    uint8_t length = 0;  ///< of the piece; 0: empty
    uint8_t count = 0;
  };

  /// The entry for this piece, which holds it if matches() says so.
  Entry& entry(std::string_view piece) {
    if (entries_.empty()) entries_.resize(kEntries);
    return entries_[Vocabulary::hash_bytes(piece, 0) % kEntries];
  }
  static bool matches(const Entry& entry, std::string_view piece) {
    return entry.length == piece.size() && std::string_view(entry.piece, entry.length) == piece;
  }
  static void store(Entry& entry, std::string_view piece, const TokenId* ids, size_t count);

 private:
  static constexpr size_t kEntries = 4096;
  std::vector<Entry> entries_;
};

struct EncodeScratch {
  MergeScratch merge;
  PieceCache cache;
  bool use_cache = false;
  std::string piece;
  std::vector<size_t> ends, ends2;
};

class TextTokenizer : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options) const final;
  std::string decode(std::span<const TokenId> ids, bool show_special) const override;
  std::string token_bytes(TokenId id, bool show_special) const final;
  uint32_t vocabulary_size() const final { return vocabulary_.size(); }
  std::string_view token_text(TokenId id) const final;
  TokenKind token_kind(TokenId id) const final;
  std::optional<TokenId> find_token(std::string_view text) const final;
  const SpecialIds& special() const final { return special_; }
  const std::vector<TokenId>& stop_ids() const final { return stop_ids_; }
  uint64_t memory_bytes() const override { return vocabulary_.bytes() + added_.bytes() + added_normalized_.bytes(); }

  /// Takes the shared part of the definition and checks it. To be called once, before anything else.
  base::Status set_up(TokenizerDefinition& definition);
  /// To be called when normalize() works. Added tokens that are looked for in normalised text are normalised too.
  void set_up_normalized_tokens();

 protected:
  /// Where a stretch of plain text stands.
  struct Place {
    bool starts_text = false;  ///< at offset 0
    bool starts_part = false;  ///< there, or after an added token
  };
  /// Whether normalize() would change `text` (valid UTF-8) at this place.
  virtual bool needs_normalizing(std::string_view text, Place place) const = 0;
  virtual std::string normalize(std::string_view text, Place place) const = 0;
  /// Appends the ids of normalised text that holds no added token.
  virtual void encode_normal(std::string_view text, Place place, EncodeScratch& scratch,
                             std::vector<TokenId>& out) const = 0;
  /// Appends the id of a byte that is not valid UTF-8.
  virtual void encode_byte(unsigned char byte, std::vector<TokenId>& out) const = 0;
  /// Appends the bytes of a token that is not special.
  virtual void append_bytes(TokenId id, std::string& out) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  TokenId unknown() const { return unknown_; }  ///< for text that no token spells; may be kNoToken

 private:
  void encode_valid(std::string_view text, bool starts_text, bool parse_special, EncodeScratch& scratch,
                    std::vector<TokenId>& out) const;
  void encode_part(std::string_view text, Place place, bool parse_special, EncodeScratch& scratch,
                   std::vector<TokenId>& out) const;
  void append_token(TokenId id, bool show_special, std::string& out) const;
  base::Status check_ids(const TokenizerDefinition& definition) const;

  Vocabulary vocabulary_;
  AddedTokens added_, added_normalized_;
  std::vector<AddedToken> normalized_;  ///< between the two steps of setting up
  SpecialIds special_;
  TokenId unknown_ = kNoToken;
  std::vector<TokenId> stop_ids_, prefix_, suffix_;
};

}  // namespace ingle::core
