// Turns the bytes of tokens into text for a person: whole code points only, U+FFFD for what is not UTF-8, and nothing
// that could still become part of a stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingle::core {

class TextStream {
 public:
  /// Empty stop strings are ignored.
  explicit TextStream(std::vector<std::string> stop_strings);

  /// Takes the next bytes; returns the text that is now certain. Nothing more comes after a stop string.
  std::string push(std::string_view bytes);

  /// No more bytes will come: returns the text held back; an unfinished code point becomes U+FFFD.
  std::string finish();

  bool stopped() const { return stopped_; }
  /// The stop string that ended the text; empty: none did.
  std::string stopped_by() const;

 private:
  std::string release(bool all);

  std::vector<std::string> stop_strings_;
  std::string bytes_;  ///< an unfinished code point
  std::string held_;   ///< text that may be the start of a stop string
  bool stopped_ = false;
};

/// `bytes` with each maximal part that can't be UTF-8 replaced by U+FFFD (the Unicode standard, section 3.9).
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace ingle::core
