// Output, colour, width, and the shapes in which numbers are shown.
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "base/descriptors.h"
#include "base/files.h"
#include "base/utf8.h"

namespace ingle::cli {
namespace {

std::string scaled(uint64_t bytes, double base, const std::array<std::string_view, 5>& units) {
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  return show_fixed(value, unit == 0 || value >= 100 ? 0 : 1) + " " + std::string(units[unit]);
}

}  // namespace

base::Status Terminal::out(std::string_view text) const {
  if (base::write_all(STDOUT_FILENO, text)) return {};
  const int code = errno;
  if (code == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  return base::errno_error(code, "write to", "standard output");
}

base::Status Terminal::out_foreign(std::string_view text) const {
  return options_.shown_out ? out(base::escape_controls(text, "\n\t")) : out(text);
}

void Terminal::notice(std::string_view line) const {
  if (!options_.quiet) error(base::escape_controls(line, "\n\t") + "\n");
}

void Terminal::error(std::string_view text) const {
  (void)base::write_all(STDERR_FILENO, text);
}

std::string Terminal::styled(bool on, Style style, std::string_view text) {
  static constexpr std::array<std::string_view, 7> codes = {"", "1", "2", "31", "32", "33", "36"};
  const std::string_view code = codes[static_cast<size_t>(style)];
  if (!on || code.empty()) return std::string(text);
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

size_t Terminal::width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

size_t display_width(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const base::CodePoint point = base::decode_utf8(text);
    text.remove_prefix(std::max<uint32_t>(point.length, 1));
    const uint32_t c = point.value;
    const bool combining = (c >= 0x300 && c < 0x370) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f);
    const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
                      (c >= 0xf900 && c < 0xfb00) || (c >= 0xff00 && c < 0xff61) || (c >= 0x1f300 && c < 0x1fb00);
    columns += combining ? 0 : wide ? 2 : 1;
  }
  return columns;
}

std::string pad(std::string_view text, size_t width, bool right) {
  const size_t columns = display_width(text);
  const std::string space(columns < width ? width - columns : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string show_bytes(uint64_t bytes) {
  return scaled(bytes, 1000, {"B", "kB", "MB", "GB", "TB"});
}

std::string show_fixed(double value, int digits) {
  char buffer[512];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
  return result.ec == std::errc{} ? std::string(buffer, result.ptr) : "?";
}

std::string wrap(std::string_view text, size_t width, size_t indent) {
  std::string out;
  const std::string margin(indent, ' ');
  const size_t room = std::max<size_t>(width > indent ? width - indent : 0, 20);
  while (true) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view paragraph = text.substr(0, end);
    if (paragraph.empty()) out += '\n';
    while (!paragraph.empty()) {
      size_t cut = paragraph.size();
      if (cut > room) {
        cut = paragraph.rfind(' ', room);
        if (cut == std::string_view::npos || cut == 0) cut = std::min(paragraph.find(' '), paragraph.size());
      }
      out += margin + std::string(paragraph.substr(0, cut)) + "\n";
      paragraph.remove_prefix(std::min(cut + 1, paragraph.size()));
    }
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace ingle::cli
