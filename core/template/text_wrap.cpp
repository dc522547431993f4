// Greedy line filling over chunks: words, runs of whitespace, and (if asked) the parts of hyphenated words.
#include "core/template/text_wrap.h"

#include "base/utf8.h"
#include "core/template/unicode.h"
#include "core/template/value.h"

namespace ingle::jinja {
namespace {

using Points = std::vector<uint32_t>;

// textwrap knows only ASCII whitespace.
bool is_blank(uint32_t c) {
  return c == ' ' || (c >= 9 && c <= 13);
}
bool is_letter(uint32_t c) {
  return c == '_' ? false : is_alpha(c);
}
bool is_word(uint32_t c) {
  return c == '_' || is_alnum(c) || c == '!' || c == '"' || c == '\'' || c == '&' || c == '.' || c == ',' || c == '?';
}

// Where a hyphen inside [begin, end) may end a chunk: letter letter - letter letter?, or a dash of two and more.
size_t word_end(const Points& text, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    if (text[i] != '-') continue;
    size_t dashes = i;
    while (dashes < end && text[dashes] == '-') ++dashes;
    if (dashes - i >= 2) {
      const bool between =
          i > begin && is_word(text[i - 1]) && dashes < end && (is_alnum(text[dashes]) || text[dashes] == '_');
      if (between) return i;
      if (i == begin && dashes < end && (is_alnum(text[dashes]) || text[dashes] == '_')) return dashes;
      i = dashes - 1;
      continue;
    }
    const bool before = i >= begin + 2 && is_letter(text[i - 1]) && (is_letter(text[i - 2]) || text[i - 2] == '-');
    const bool after = i + 2 < end && is_letter(text[i + 1]) && (is_letter(text[i + 2]) || text[i + 2] == '-');
    if (before && after) return i + 1;
  }
  return end;
}

std::vector<Points> chunks_of(const Points& text, bool hyphens) {
  std::vector<Points> chunks;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    const bool blank = is_blank(text[at]);
    while (end < text.size() && is_blank(text[end]) == blank) ++end;
    while (at < end) {
      const size_t cut = blank || !hyphens ? end : word_end(text, at, end);
      chunks.emplace_back(text.begin() + static_cast<ptrdiff_t>(at), text.begin() + static_cast<ptrdiff_t>(cut));
      at = cut;
    }
  }
  return chunks;
}

bool all_space(const Points& chunk) {
  for (const uint32_t c : chunk)
    if (!is_space(c)) return false;
  return true;
}

void append(std::string& out, const Points& chunk) {
  for (const uint32_t c : chunk) base::append_utf8(out, c);
}

// A chunk wider than a line: as much of it as fits, after its last hyphen if it has one.
size_t long_word_cut(const Points& chunk, size_t room, const WrapStyle& style) {
  if (!style.break_long_words) return 0;
  size_t cut = room;
  if (style.break_on_hyphens && chunk.size() > room) {
    for (size_t i = room; i-- > 1;) {
      if (chunk[i] != '-') continue;
      bool other = false;
      for (size_t k = 0; k < i; ++k) other = other || chunk[k] != '-';
      if (other) cut = i + 1;
      break;
    }
  }
  return cut;
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, const WrapStyle& style) {
  if (style.width <= 0) fail("invalid width " + std::to_string(style.width) + " (must be > 0)");
  const auto width = static_cast<size_t>(style.width);
  std::vector<Points> chunks = chunks_of(code_points(text), style.break_on_hyphens);
  std::vector<std::string> lines;
  for (size_t at = 0; at < chunks.size();) {
    if (!lines.empty() && all_space(chunks[at])) ++at;
    std::vector<Points> line;
    size_t size = 0;
    while (at < chunks.size() && size + chunks[at].size() <= width) {
      size += chunks[at].size();
      line.push_back(std::move(chunks[at++]));
    }
    if (at < chunks.size() && chunks[at].size() > width) {
      const size_t room = width - size;
      const size_t cut = long_word_cut(chunks[at], room, style);
      if (cut > 0) {
        line.emplace_back(chunks[at].begin(), chunks[at].begin() + static_cast<ptrdiff_t>(cut));
        chunks[at].erase(chunks[at].begin(), chunks[at].begin() + static_cast<ptrdiff_t>(cut));
      } else if (line.empty()) {
        line.push_back(std::move(chunks[at++]));
      }
    }
    if (!line.empty() && all_space(line.back())) line.pop_back();
    if (line.empty()) continue;
    std::string out;
    for (const Points& chunk : line) append(out, chunk);
    lines.push_back(std::move(out));
  }
  return lines;
}

}  // namespace ingle::jinja
