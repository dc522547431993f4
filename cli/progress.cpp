// The progress bar.
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace ingle::cli {

void ProgressLine::update(std::string_view what, double fraction, std::string_view detail) {
  if (terminal_->options().quiet) return;
  if (!terminal_->options().progress_bars) {
    if (what != last_what_) terminal_->notice("ingle: " + std::string(what));
    last_what_ = what;
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && what == last_what_ && fraction < 1 && now - last_draw_ < std::chrono::milliseconds(80)) return;
  last_draw_ = now;
  last_what_ = what;
  const size_t width = std::max<size_t>(Terminal::width(STDERR_FILENO), 20) - 1;
  std::string line(what);
  std::string bar;
  if (fraction >= 0) {
    const size_t used = display_width(line) + display_width(detail) + 10;
    const size_t room = width > used ? std::min<size_t>(width - used, 40) : 0;
    const size_t full = static_cast<size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(room)));
    for (size_t i = 0; i < room; ++i) bar += i < full ? "█" : "░";
    bar = " " + bar + " " + pad(show_fixed(std::clamp(fraction, 0.0, 1.0) * 100, 0), 3, true) + " %";
  }
  if (!detail.empty()) bar += "  " + std::string(detail);
  if (display_width(line) + display_width(bar) > width) bar.clear();
  terminal_->error("\r\033[K" + terminal_->styled_error(Style::dim, line + bar));
  drawn_ = true;
}

void ProgressLine::clear() {
  if (drawn_) terminal_->error("\r\033[K");
  drawn_ = false;
}

}  // namespace ingle::cli
