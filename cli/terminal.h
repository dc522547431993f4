// Standard output and error: bytes to one, notices and progress to the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::cli {

enum class Style { plain, bold, dim, red, green, yellow, cyan };

class Terminal {
 public:
  struct Options {
    bool quiet = false;
    bool color_out = false, color_error = false;
    bool shown_out = false;      ///< stdout is a terminal
    bool progress_bars = false;  ///< stderr is a terminal that can redraw a line
  };
  Terminal() = default;
  explicit Terminal(Options options) : options_(options) {}

  /// Writes all of `text` to standard output, unbuffered. Errors: no_space, io_error. Where the reader has gone
  /// (`ingle … | head`) the process ends as other programs do, by SIGPIPE.
  base::Status out(std::string_view text) const;

  /// As out, for what a model or its file wrote, in whole code points: on a terminal, control characters but line
  /// breaks and tabs are spelled \xNN, so that it shows them and obeys none. Elsewhere the bytes stay as they are.
  base::Status out_foreign(std::string_view text) const;

  /// One line on stderr unless --quiet.
  void notice(std::string_view line) const;
  /// To stderr, as it is.
  void error(std::string_view text) const;

  std::string styled_out(Style style, std::string_view text) const { return styled(options_.color_out, style, text); }
  std::string styled_error(Style style, std::string_view text) const {
    return styled(options_.color_error, style, text);
  }

  const Options& options() const { return options_; }

  /// Columns of the terminal on stdout or stderr; 80 where there is none.
  static size_t width(int descriptor);

 private:
  static std::string styled(bool on, Style style, std::string_view text);
  Options options_;
};

/// Columns that UTF-8 text takes, near enough for tables: code points that are not combining marks, wide ones twice.
size_t display_width(std::string_view text);
/// Padded with spaces to `width` columns, on the left where `right`.
std::string pad(std::string_view text, size_t width, bool right = false);
/// 98.2 MB: powers of 1000, as shops and file managers count.
std::string show_bytes(uint64_t bytes);
/// Fixed notation with `digits` after the point.
std::string show_fixed(double value, int digits);
/// Words of `text` in lines of at most `width` columns, each after `indent` spaces. Empty lines stay.
std::string wrap(std::string_view text, size_t width, size_t indent);

}  // namespace ingle::cli
