// Progress on stderr: a bar that redraws itself on a terminal, one line per stage elsewhere, nothing when quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace ingle::cli {

class ProgressLine {
 public:
  explicit ProgressLine(const Terminal& terminal) : terminal_(&terminal) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  /// `what` ("downloading part 3/6") starts a new line where there is no terminal. `detail` stands at the end of the
  /// bar. `fraction` below 0: not known.
  void update(std::string_view what, double fraction, std::string_view detail = {});
  /// Wipes the bar, so that other text can be written.
  void clear();

 private:
  const Terminal* terminal_;
  std::string last_what_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_draw_{};
};

}  // namespace ingle::cli
