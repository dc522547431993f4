// Sets of code points, and their UTF-8 as byte ranges. A range is cut where the length of its code points' UTF-8
// changes, then wherever a byte's range would depend on the bytes before it: with the last k six-bit groups running
// from all zeros to all ones, each byte of the piece has a range of its own.
#include <algorithm>

#include "base/utf8.h"
#include "core/grammar/expression.h"

namespace ingle::grammar {

namespace {
constexpr uint32_t kLastCodePoint = 0x10ffff;
}

std::vector<CodeRange> normalize(const std::vector<CodeRange>& ranges) {
  std::vector<CodeRange> pieces;
  for (const CodeRange& range : ranges) {
    if (range.lo <= 0xd7ff) pieces.push_back({range.lo, std::min<uint32_t>(range.hi, 0xd7ff)});
    if (range.hi >= 0xe000)
      pieces.push_back({std::max<uint32_t>(range.lo, 0xe000), std::min(range.hi, kLastCodePoint)});
  }
  std::sort(pieces.begin(), pieces.end(), [](const CodeRange& a, const CodeRange& b) { return a.lo < b.lo; });
  std::vector<CodeRange> out;
  for (const CodeRange& range : pieces) {
    if (range.lo > range.hi) continue;
    if (!out.empty() && range.lo <= out.back().hi + 1)
      out.back().hi = std::max(out.back().hi, range.hi);
    else
      out.push_back(range);
  }
  return out;
}

std::vector<CodeRange> complement(const std::vector<CodeRange>& ranges) {
  std::vector<CodeRange> out;
  uint32_t from = 0;
  for (const CodeRange& range : normalize(ranges)) {
    if (range.lo > from) out.push_back({from, range.lo - 1});
    from = range.hi + 1;
  }
  if (from <= kLastCodePoint) out.push_back({from, kLastCodePoint});
  return normalize(out);
}

namespace {

void add_piece(Nfa& nfa, uint32_t from, uint32_t lo, uint32_t hi, uint32_t to, Guard guard) {
  std::string first, last;
  base::append_utf8(first, lo);
  base::append_utf8(last, hi);
  for (size_t i = 0; i < first.size(); i++) {
    const uint32_t next = i + 1 == first.size() ? to : nfa.add_state();
    nfa.add_range(from, static_cast<uint8_t>(first[i]), static_cast<uint8_t>(last[i]), next, guard);
    from = next, guard = Guard::none;
  }
}

void add_pieces(Nfa& nfa, uint32_t from, uint32_t lo, uint32_t hi, uint32_t to, Guard guard) {
  for (const uint32_t last : {0x7fu, 0x7ffu, 0xffffu}) {  // the last code point of each length
    if (lo <= last && hi > last) {
      add_pieces(nfa, from, lo, last, to, guard);
      add_pieces(nfa, from, last + 1, hi, to, guard);
      return;
    }
  }
  if (hi > 0x7f) {
    for (unsigned groups = 1; groups < 4; groups++) {
      const uint32_t mask = (1u << (6 * groups)) - 1;
      if ((lo & ~mask) == (hi & ~mask)) continue;
      if ((lo & mask) != 0) {
        add_pieces(nfa, from, lo, lo | mask, to, guard);
        add_pieces(nfa, from, (lo | mask) + 1, hi, to, guard);
        return;
      }
      if ((hi & mask) != mask) {
        add_pieces(nfa, from, lo, (hi & ~mask) - 1, to, guard);
        add_pieces(nfa, from, hi & ~mask, hi, to, guard);
        return;
      }
    }
  }
  add_piece(nfa, from, lo, hi, to, guard);
}

}  // namespace

void add_code_points(Nfa& nfa, uint32_t from, const std::vector<CodeRange>& ranges, uint32_t to, Guard guard) {
  for (const CodeRange& range : normalize(ranges)) add_pieces(nfa, from, range.lo, range.hi, to, guard);
}

}  // namespace ingle::grammar
