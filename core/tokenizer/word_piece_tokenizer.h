// BERT's WordPiece: the text is cleaned, lower-cased and stripped of accents where the model says so, cut at white
// space, punctuation and CJK characters, and every word is covered from the left by the longest tokens there are.
#pragma once

#include "core/tokenizer/text_tokenizer.h"

namespace ingle::core {

class WordPieceTokenizer final : public TextTokenizer {
 public:
  /// After set_up().
  void set_up_words(const TokenizerDefinition& definition);

  std::string decode(std::span<const TokenId> ids, bool show_special) const override;

 protected:
  bool needs_normalizing(std::string_view, Place) const override { return true; }
  std::string normalize(std::string_view text, Place place) const override;
  void encode_normal(std::string_view text, Place place, EncodeScratch& scratch,
                     std::vector<TokenId>& out) const override;
  void encode_byte(unsigned char byte, std::vector<TokenId>& out) const override;
  void append_bytes(TokenId id, std::string& out) const override;

 private:
  void encode_word(std::string_view word, std::string& candidate, std::vector<TokenId>& out) const;

  TokenizerDefinition::WordPieces words_;
};

}  // namespace ingle::core
