// The progress bar.
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace ingle::cli {
namespace {

/// The end of a text, in at most so many columns: an address differs there from its neighbours.
std::string shortened(std::string_view text, size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  while (!text.empty() && display_width(text) + 1 > columns)
    text.remove_prefix(std::max<uint32_t>(base::decode_utf8(text).length, 1));
  return "…" + std::string(text);
}

}  // namespace

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
  std::string bar;
  if (fraction >= 0) {
    const size_t used = display_width(what) + display_width(detail) + 10;
    const size_t room = width > used ? std::min<size_t>(width - used, 40) : 0;
    const size_t full = static_cast<size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(room)));
    for (size_t i = 0; i < room; ++i) bar += i < full ? "█" : "░";
    bar = " " + bar + " " + pad(show_fixed(std::clamp(fraction, 0.0, 1.0) * 100, 0), 3, true) + " %";
  }
  if (!detail.empty()) bar += "  " + std::string(detail);
  // The numbers matter more than the name, unless hardly anything of it would be left.
  if (display_width(bar) + 12 > width) bar.clear();
  const std::string line = shortened(what, width - display_width(bar)) + bar;
  terminal_->error("\r\033[K" + terminal_->styled_error(Style::dim, line));
  drawn_ = true;
}

void ProgressLine::clear() {
  if (drawn_) terminal_->error("\r\033[K");
  drawn_ = false;
}

}  // namespace ingle::cli
