// A parser by recursive descent.
#include "core/grammar/regex.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace ingle::grammar {

namespace {

using base::ErrorCode;

constexpr CodeRange kAll = {0, 0x10ffff};

const std::vector<CodeRange>& digits() {
  static const std::vector<CodeRange> ranges = {{'0', '9'}};
  return ranges;
}
const std::vector<CodeRange>& word() {
  static const std::vector<CodeRange> ranges = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return ranges;
}
const std::vector<CodeRange>& space() {
  static const std::vector<CodeRange> ranges = {{9, 13},          {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                                                {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                                                {0x3000, 0x3000}, {0xfeff, 0xfeff}};
  return ranges;
}
const std::vector<CodeRange>& line_ends() {
  static const std::vector<CodeRange> ranges = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
  return ranges;
}

/// One alternative, with the anchors at its edges.
struct Branch {
  Expression body;
  bool at_begin = false, at_end = false;
};

class RegexParser {
 public:
  RegexParser(std::string_view pattern, const core::GrammarLimits& limits) : text_(pattern), limits_(limits) {}

  std::vector<Branch> parse() {
    std::vector<Branch> branches = parse_branches(0);
    if (at_ != text_.size()) fail_here("an unmatched ')'");
    return branches;
  }

 private:
  /// An item of a sequence: an expression, an anchor, or a group whose branches carry anchors.
  struct Item {
    std::optional<Expression> expression;
    char anchor = 0;
    std::vector<Branch> anchored;
  };

  [[noreturn]] void fail_here(const std::string& what, ErrorCode code = ErrorCode::invalid_argument) const {
    fail(code, what + " at byte " + std::to_string(at_) + " of the pattern");
  }
  [[noreturn]] void refuse(const std::string& what) const {
    fail_here(what + ": not supported", ErrorCode::unsupported);
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return more() ? text_[at_] : '\0'; }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  uint32_t take_code_point() {
    const base::CodePoint c = base::decode_utf8(text_.substr(at_));
    if (c.length == 0) fail_here("invalid UTF-8");
    at_ += c.length;
    return c.value;
  }

  std::vector<Branch> parse_branches(uint32_t depth) {
    if (depth > limits_.max_depth) fail_limit("the pattern's nested groups", limits_.max_depth);
    std::vector<Branch> out;
    do {
      for (Branch& branch : parse_sequence(depth)) out.push_back(std::move(branch));
    } while (take("|"));
    return out;
  }

  std::vector<Branch> parse_sequence(uint32_t depth) {
    std::vector<Item> items;
    while (more() && peek() != '|' && peek() != ')') items.push_back(parse_item(depth));
    Branch whole;
    size_t first = 0, last = items.size();
    while (first < last && items[first].anchor == '^') whole.at_begin = true, first++;
    while (first < last && items[last - 1].anchor == '$') whole.at_end = true, last--;
    if (last - first == 1 && !items[first].anchored.empty()) {
      for (Branch& branch : items[first].anchored) branch.at_begin |= whole.at_begin, branch.at_end |= whole.at_end;
      return std::move(items[first].anchored);
    }
    std::vector<Expression> parts;
    for (size_t i = first; i < last; i++) parts.push_back(place_anchors(items[i], i == first, i + 1 == last, whole));
    whole.body = Expression::make_sequence(std::move(parts));
    std::vector<Branch> out;
    out.push_back(std::move(whole));
    return out;
  }

  /// A group's anchors can be kept if they stand at the sequence's edge in all its branches.
  Expression place_anchors(Item& item, bool is_first, bool is_last, Branch& whole) {
    if (item.anchor != 0) refuse(std::string("'") + item.anchor + "' inside a pattern");
    if (item.expression) return std::move(*item.expression);
    std::vector<Expression> choices;
    const Branch& model = item.anchored.front();
    for (Branch& branch : item.anchored) {
      if (branch.at_begin != model.at_begin || branch.at_end != model.at_end || (branch.at_begin && !is_first) ||
          (branch.at_end && !is_last))
        refuse("an anchor inside a group");
    }
    whole.at_begin |= model.at_begin, whole.at_end |= model.at_end;
    for (Branch& branch : item.anchored) choices.push_back(std::move(branch.body));
    return Expression::make_choice(std::move(choices));
  }

  Item parse_item(uint32_t depth) {
    Item item;
    if (peek() == '^' || peek() == '$') {
      item.anchor = text_[at_++];
      if (more() && std::string_view("*+?{").find(peek()) != std::string_view::npos) refuse("a repeated anchor");
      return item;
    }
    if (take("(")) {
      std::vector<Branch> branches = parse_group(depth);
      const bool anchored = std::any_of(branches.begin(), branches.end(),
                                        [](const Branch& branch) { return branch.at_begin || branch.at_end; });
      if (anchored) {
        if (more() && std::string_view("*+?{").find(peek()) != std::string_view::npos) refuse("a repeated anchor");
        item.anchored = std::move(branches);
        return item;
      }
      std::vector<Expression> choices;
      for (Branch& branch : branches) choices.push_back(std::move(branch.body));
      item.expression = Expression::make_choice(std::move(choices));
    } else {
      item.expression = parse_atom();
    }
    item.expression = parse_quantifiers(std::move(*item.expression));
    return item;
  }

  std::vector<Branch> parse_group(uint32_t depth) {
    if (take("?")) {
      if (take("<") && peek() != '=' && peek() != '!') {
        while (more() && peek() != '>') at_++;
        if (!take(">")) fail_here("an unfinished group name");
      } else if (!take(":")) {
        refuse("look-around or a flag");
      }
    }
    std::vector<Branch> branches = parse_branches(depth + 1);
    if (!take(")")) fail_here("a missing ')'");
    return branches;
  }

  Expression parse_quantifiers(Expression part) {
    uint32_t min = 0, max = kUnbounded;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (!parse_counts(min, max)) {
      return part;
    }
    take("?");
    if (more() && std::string_view("*+?").find(peek()) != std::string_view::npos) fail_here("nothing to repeat");
    return Expression::make_repeat(std::move(part), min, max);
  }

  /// {m}, {m,}, {m,n}. Anything else after '{' is the character itself, as browsers have it.
  bool parse_counts(uint32_t& min, uint32_t& max) {
    const size_t before = at_;
    if (!take("{")) return false;
    const auto first = parse_number();
    bool good = first.has_value();
    if (good && take(",")) {
      const auto second = parse_number();
      max = second.value_or(kUnbounded);
    } else if (good) {
      max = *first;
    }
    if (!good || !take("}")) {
      at_ = before;
      return false;
    }
    min = *first;
    if (min > max) fail_here("a repetition whose bounds are out of order");
    return true;
  }

  std::optional<uint32_t> parse_number() {
    if (peek() < '0' || peek() > '9') return std::nullopt;
    uint64_t value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<uint64_t>(text_[at_++] - '0');
      if (value > limits_.max_repeat) fail_limit("a repetition's rounds", limits_.max_repeat);
    }
    return static_cast<uint32_t>(value);
  }

  Expression parse_atom() {
    const char c = peek();
    if (take(".")) return Expression::make_code_points(complement(line_ends()));
    if (take("[")) return parse_class();
    uint32_t min = 0, max = 0;
    if (c == '*' || c == '+' || c == '?' || parse_counts(min, max)) fail_here("nothing to repeat");
    if (take("\\")) {
      if (peek() == 'b' || peek() == 'B') refuse("a word boundary");
      return Expression::make_code_points(parse_escape(false));
    }
    const uint32_t value = take_code_point();
    return Expression::make_code_points({{value, value}});
  }

  uint32_t parse_hex(size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++, at_++) {
      const char c = peek();
      if (c >= '0' && c <= '9')
        value = value * 16 + static_cast<uint32_t>(c - '0');
      else if ((c | 32) >= 'a' && (c | 32) <= 'f')
        value = value * 16 + static_cast<uint32_t>((c | 32) - 'a' + 10);
      else
        fail_here("a hexadecimal digit is missing");
    }
    return value;
  }

  uint32_t parse_unicode_escape() {
    if (take("{")) {
      size_t count = 0;
      while (at_ + count < text_.size() && text_[at_ + count] != '}') count++;
      if (count == 0 || count > 6) fail_here("an escape out of range");
      const uint32_t value = parse_hex(count);
      if (!take("}") || value > 0x10ffff) fail_here("an escape out of range");
      return value;
    }
    const uint32_t high = parse_hex(4);
    if (high >= 0xd800 && high < 0xdc00 && take("\\u")) {
      const uint32_t low = parse_hex(4);
      if (low >= 0xdc00 && low < 0xe000) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      fail_here("a lone surrogate");
    }
    if (high >= 0xd800 && high < 0xe000) fail_here("a lone surrogate");
    return high;
  }

  /// After a backslash.
  std::vector<CodeRange> parse_escape(bool in_class) {
    if (!more()) fail_here("an unfinished escape");
    const char c = peek();
    const auto one = [](uint32_t value) { return std::vector<CodeRange>{{value, value}}; };
    if (c >= '1' && c <= '9') refuse("a back-reference");
    if (c == 'k' || c == 'p' || c == 'P') refuse(std::string("the escape \\") + c);
    if (static_cast<uint8_t>(c) >= 0x80) return one(take_code_point());
    at_++;
    switch (c) {
      case 'd':
        return digits();
      case 'D':
        return complement(digits());
      case 'w':
        return word();
      case 'W':
        return complement(word());
      case 's':
        return space();
      case 'S':
        return complement(space());
      case 't':
        return one('\t');
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case '0':
        return one(0);
      case 'x':
        return one(parse_hex(2));
      case 'u':
        return one(parse_unicode_escape());
      case 'b':
        if (in_class) return one('\b');
        break;
      case 'c':
        if (((peek() | 32) >= 'a') && ((peek() | 32) <= 'z')) return one(static_cast<uint32_t>(text_[at_++] & 31));
        break;
      default:
        break;
    }
    const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    // Python's spelling of an anchor, and others of other languages, must not pass for a letter.
    if (letter) refuse(std::string("the escape \\") + c);
    return one(static_cast<uint8_t>(c));
  }

  Expression parse_class() {
    const bool negated = take("^");
    std::vector<CodeRange> ranges;
    while (!take("]")) {
      if (!more()) fail_here("a missing ']'");
      std::vector<CodeRange> low = parse_class_atom();
      const bool single = low.size() == 1 && low[0].lo == low[0].hi;
      if (single && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        at_++;
        const std::vector<CodeRange> high = parse_class_atom();
        if (high.size() != 1 || high[0].lo != high[0].hi) {
          ranges.push_back({'-', '-'});
          ranges.insert(ranges.end(), high.begin(), high.end());
        } else if (high[0].lo < low[0].lo) {
          fail_here("a range that is out of order");
        } else {
          low[0].hi = high[0].hi;
        }
      }
      ranges.insert(ranges.end(), low.begin(), low.end());
    }
    ranges = negated ? complement(ranges) : normalize(ranges);
    if (ranges.empty()) return {.kind = ExpressionKind::never};
    return Expression::make_code_points(ranges);
  }

  std::vector<CodeRange> parse_class_atom() {
    if (take("\\")) return parse_escape(true);
    const uint32_t value = take_code_point();
    return {{value, value}};
  }

  std::string_view text_;
  size_t at_ = 0;
  const core::GrammarLimits& limits_;
};

}  // namespace

Expression parse_regex(std::string_view pattern, RegexUse use, const core::GrammarLimits& limits) {
  if (pattern.size() > limits.max_source_bytes) fail_limit("the pattern's bytes", limits.max_source_bytes);
  std::vector<Branch> branches = RegexParser(pattern, limits).parse();
  const auto anything = [] { return Expression::make_repeat(Expression::make_code_points({kAll}), 0, kUnbounded); };
  std::vector<Expression> choices;
  for (Branch& branch : branches) {
    std::vector<Expression> parts;
    if (use == RegexUse::search && !branch.at_begin) parts.push_back(anything());
    parts.push_back(std::move(branch.body));
    if (use == RegexUse::search && !branch.at_end) parts.push_back(anything());
    choices.push_back(Expression::make_sequence(std::move(parts)));
  }
  return Expression::make_choice(std::move(choices));
}

}  // namespace ingle::grammar
