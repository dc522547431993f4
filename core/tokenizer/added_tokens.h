// Tokens that are cut out of a text before the model's own splitting: special tokens, where the caller has them parsed,
// and user-defined ones, always. The longest at the leftmost place wins, as in Hugging Face's `tokenizers`.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false;      ///< found only where special tokens are parsed
  bool left_strip = false;   ///< takes the white space before it
  bool right_strip = false;  ///< takes the white space after it
  bool single_word = false;  ///< only where no word character touches it
  bool normalized = false;   ///< looked for in the normalised text, not in the text as given
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  struct Found {
    size_t begin = 0, end = 0;  ///< with stripped white space
    TokenId id = 0;
  };
  /// The next token in `text` at or after `from`; white space is stripped no further back than `from`.
  std::optional<Found> find(std::string_view text, size_t from, bool parse_special) const;

  bool empty() const { return tokens_.empty(); }
  uint64_t bytes() const { return tokens_.capacity() * sizeof(AddedToken); }  ///< of the table

 private:
  const AddedToken* longest_at(std::string_view text, size_t pos) const;
  bool starts_any(char c) const {
    return first_[static_cast<unsigned char>(c)].begin < first_[static_cast<unsigned char>(c)].end;
  }

  struct Bucket {
    uint32_t begin = 0, end = 0;
  };
  std::vector<AddedToken> tokens_;   ///< sorted by content
  std::array<Bucket, 256> first_{};  ///< those that start with a byte
};

}  // namespace ingle::core
