// What a tokenizer file says, in one form for GGUF and tokenizer.json; build_tokenizer() turns it into a tokenizer.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

enum class TokenizerModel {
  byte_merges,  ///< ranked merges over bytes, spelt in GPT-2's alphabet
  char_merges,  ///< ranked merges over characters, with byte tokens for those the vocabulary lacks
  scores,       ///< SentencePiece's BPE: the token of the best score is merged first
  word_pieces,  ///< BERT: the longest token at the start, then the longest continuations
};

/// Whether a text gets a space (U+2581 in the vocabulary) in front.
enum class SpacePrefix {
  never,
  first,             ///< at the start of the text, unless it starts with one
  each_part,         ///< at the start and after every added token, unless it starts with one
  each_part_always,  ///< the same, even so
};

struct TokenizerDefinition {
  TokenizerModel model = TokenizerModel::byte_merges;
  std::span<const std::string> tokens;
  std::vector<TokenKind> kinds;         ///< one per token
  std::vector<float> scores;            ///< for TokenizerModel::scores: one per token
  std::span<const std::string> merges;  ///< "left right" in order of rank; or, where these are empty:
  std::span<const std::array<std::string, 2>> merge_pairs;
  std::vector<AddedToken> added;

  std::vector<const SplitRule*> splits;  ///< for byte_merges
  bool nfc = false;
  bool ignore_merges = false;
  bool fuse_unknown = false;
  SpacePrefix space_prefix = SpacePrefix::never;
  bool escape_spaces = false;    ///< U+0020 becomes U+2581
  bool split_at_spaces = false;  ///< every U+2581 starts a piece
  bool strip_space = false;      ///< decode drops one space at the start of a text
  bool collapse_spaces = false;  ///< runs of spaces count as one, those at both ends as none

  struct WordPieces {
    std::string continuing = "##";  ///< starts a token inside a word
    std::string word_start;         ///< starts a token at a word's start (GGUF: U+2581)
    bool clean = true, chinese = true, strip_accents = true, lower = true;
    size_t longest_word = 100;  ///< in characters; a longer one is unknown
  } word_pieces;

  Tokenizer::SpecialIds special;
  std::optional<TokenId> unknown;       ///< for text that no token spells; without one, it is left out
  std::vector<TokenId> prefix, suffix;  ///< what EncodeOptions::add_special adds
  std::vector<TokenId> extra_stop;      ///< named as ends by the file, besides those in `special`
};

/// Errors: corrupt (ids out of range, merges of tokens that do not exist, NaN scores, a vocabulary that cannot be
/// indexed), limit_exceeded.
base::Result<std::unique_ptr<Tokenizer>> build_tokenizer(TokenizerDefinition definition);

/// From tokenizer.ggml.* metadata. Errors: as load_tokenizer.
base::Result<std::unique_ptr<Tokenizer>> load_gguf_tokenizer(const Metadata& metadata);

/// From the texts of tokenizer.json and tokenizer_config.json (may be empty); `ends` are the ids that
/// generation_config.json names as ends. Errors: as load_tokenizer.
base::Result<std::unique_ptr<Tokenizer>> load_json_tokenizer(std::string_view tokenizer_json,
                                                             std::string_view config_json,
                                                             std::span<const int64_t> ends = {});

}  // namespace ingle::core
