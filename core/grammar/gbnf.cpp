// GBNF, llama.cpp's notation for grammars (grammars/README.md there), and two items of our own, %json and %until.
//
//   root   ::= greeting (" " name){1,3} [.!]     a rule: alternatives of sequences; it ends with its line
//   name   ::= "Ann" | [A-Z] [a-z]+ | .          literal, class, any character; * + ? {m} {m,} {m,n}; ( ); # comment
//   call   ::= "<call>" %json{"type": "object"}  a JSON value of that schema
//   think  ::= "<think>" %until("</think>")      any text up to and including the first "</think>"
#include "core/grammar/gbnf.h"

#include <algorithm>
#include <deque>
#include <map>

#include "base/utf8.h"
#include "core/grammar/json_schema.h"

namespace ingle::grammar {

namespace {

using base::ErrorCode;
constexpr size_t kMaxUntil = 256, kMaxName = 256;
constexpr uint32_t kMaxRepetitions = 8;
constexpr uint64_t kMostPutIn = 60;  // bytes, ranges and parts of a rule that is written into its callers

bool is_name(char c) {
  return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  GbnfParser(std::string_view text, Draft& draft, const core::JsonSchemaOptions& json)
      : text_(text), draft_(draft), json_(json), limits_(draft.budget.limits()) {}

  RuleId parse() {
    skip_space(true);
    while (more()) parse_rule();
    for (const auto& [name, place] : first_use_) {
      if (!defined_[rules_.at(name)]) fail_at(place, "there is no rule '" + name + "'");
    }
    const auto root = rules_.find("root");
    if (root == rules_.end()) fail(ErrorCode::invalid_argument, "there is no rule 'root'");
    define_rules();
    return root->second;
  }

 private:
  [[noreturn]] void fail_at(size_t place, const std::string& what, ErrorCode code = ErrorCode::invalid_argument) const {
    size_t line = 1;
    for (const char c : text_.substr(0, place)) line += c == '\n';
    fail(code, "line " + std::to_string(line) + ": " + what);
  }
  [[noreturn]] void fail_here(const std::string& what, ErrorCode code = ErrorCode::invalid_argument) const {
    fail_at(at_, what, code);
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return more() ? text_[at_] : '\0'; }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  void skip_space(bool lines) {
    while (more()) {
      const char c = peek();
      if (c == '#') {
        while (more() && peek() != '\n' && peek() != '\r') at_++;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        at_++;
      } else {
        return;
      }
    }
  }

  std::string parse_name() {
    const size_t begin = at_;
    while (is_name(peek())) at_++;
    if (begin == at_) fail_here("a rule's name is missing");
    if (at_ - begin > kMaxName) fail_limit("the letters of a rule's name", kMaxName);
    return std::string(text_.substr(begin, at_ - begin));
  }

  RuleId rule_of(const std::string& name) {
    const auto it = rules_.find(name);
    if (it != rules_.end()) return it->second;
    const RuleId rule = draft_.add_rule(name);
    rules_.emplace(name, rule);
    return rule;
  }

  void parse_rule() {
    const std::string name = parse_name();
    skip_space(false);
    if (!take("::=")) fail_here("'::=' is missing after '" + name + "'");
    skip_space(true);
    const RuleId rule = rule_of(name);
    if (defined_[rule]) fail_here("the rule '" + name + "' is defined twice");
    defined_[rule] = true;
    Expression body = parse_choice(0);
    if (more() && peek() != '\n' && peek() != '\r') fail_here(std::string("unexpected '") + peek() + "'");
    skip_space(true);
    bodies_.emplace_back(rule, std::move(body));
  }

  /// A short rule without loops and calls, such as a character of a string, is written where it is called. So the
  /// caller's automaton takes the text itself, which is much faster than calls.
  bool put_in_calls(Expression& e) {
    bool changed = false;
    for (Expression& part : e.parts) changed |= put_in_calls(part);
    if (e.kind != ExpressionKind::call) return changed;
    const auto found = short_.find(e.rule);
    if (found == short_.end()) return changed;
    e = *found->second;
    return true;
  }

  static uint64_t length_if_short(const Expression& e) {
    constexpr uint64_t kTooLong = kMostPutIn + 1;
    const bool loops = e.kind == ExpressionKind::until || (e.kind == ExpressionKind::repeat && e.max == kUnbounded);
    if (loops || e.kind == ExpressionKind::call) return kTooLong;
    uint64_t length = 1 + e.text.size() + e.ranges.size();
    for (const Expression& part : e.parts) length = std::min(kTooLong, length + length_if_short(part));
    return e.kind == ExpressionKind::repeat ? std::min<uint64_t>(kTooLong, length * std::max(e.max, 1u)) : length;
  }

  void define_rules() {
    const auto note_short = [&](RuleId rule, const Expression& body) {
      if (short_.count(rule) == 0 && length_if_short(body) <= kMostPutIn) short_.emplace(rule, &body);
    };
    for (const auto& [rule, body] : bodies_) note_short(rule, body);
    // A rule of short rules may be short, too; a few rounds are enough for how grammars are written.
    for (int round = 0; round < 4; round++) {
      for (auto& [rule, body] : bodies_) {
        if (put_in_calls(body)) note_short(rule, body);
      }
    }
    for (auto& [rule, body] : bodies_) draft_.define(rule, body);
  }

  Expression parse_choice(uint32_t depth) {
    if (depth > limits_.max_depth) fail_limit("the grammar's nested groups", limits_.max_depth);
    std::vector<Expression> parts;
    parts.push_back(parse_sequence(depth));
    while (take("|")) {
      skip_space(true);
      parts.push_back(parse_sequence(depth));
    }
    return Expression::make_choice(std::move(parts));
  }

  Expression parse_sequence(uint32_t depth) {
    std::vector<Expression> parts;
    while (more() && peek() != '|' && peek() != ')' && peek() != '\n' && peek() != '\r') {
      Expression item = parse_item(depth);
      skip_space(depth > 0);
      parts.push_back(parse_repetition(std::move(item), depth));
    }
    return Expression::make_sequence(std::move(parts));
  }

  Expression parse_item(uint32_t depth) {
    if (take("\"")) return Expression::make_marked(parse_literal('"'));
    if (take("[")) return parse_class();
    if (take(".")) return Expression::make_code_points({{0, 0x10ffff}});
    if (take("(")) {
      skip_space(true);
      Expression group = parse_choice(depth + 1);
      if (!take(")")) fail_here("a missing ')'");
      return group;
    }
    if (take("%json")) return parse_json_item();
    if (take("%until")) return parse_until();
    if (peek() == '<' || peek() == '!')
      fail_here("tokens by name are written as literals here", ErrorCode::unsupported);
    if (!is_name(peek())) fail_here(std::string("unexpected '") + peek() + "'");
    const size_t place = at_;
    std::string name = parse_name();
    const RuleId rule = rule_of(name);
    first_use_.try_emplace(std::move(name), place);
    return Expression::make_call(rule);
  }

  Expression parse_repetition(Expression item, uint32_t depth) {
    for (uint32_t rounds = 0;;) {
      uint32_t min = 0, max = kUnbounded;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (take("{")) {
        parse_counts(min, max);
      } else {
        return item;
      }
      skip_space(depth > 0);
      item = Expression::make_repeat(std::move(item), min, max);
      if (++rounds > kMaxRepetitions) fail_limit("the repetitions of one item", kMaxRepetitions);
    }
  }

  uint32_t parse_number() {
    skip_space(false);
    if (peek() < '0' || peek() > '9') fail_here("a number is missing");
    uint64_t value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<uint64_t>(text_[at_++] - '0');
      if (value > limits_.max_repeat) fail_limit("a repetition's rounds", limits_.max_repeat);
    }
    skip_space(false);
    return static_cast<uint32_t>(value);
  }

  void parse_counts(uint32_t& min, uint32_t& max) {
    min = parse_number();
    max = min;
    if (take(",")) {
      skip_space(false);
      max = peek() == '}' ? kUnbounded : parse_number();
    }
    if (!take("}")) fail_here("a missing '}'");
    if (min > max) fail_here("a repetition whose bounds are out of order");
  }

  uint32_t parse_hex(size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++, at_++) {
      const char c = peek();
      const bool digit = c >= '0' && c <= '9';
      if (!digit && ((c | 32) < 'a' || (c | 32) > 'f')) fail_here("a hexadecimal digit is missing");
      value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) fail_here("an escape that is no character");
    return value;
  }

  /// A character of a literal or class, where a backslash escapes.
  uint32_t parse_character() {
    if (!take("\\")) {
      const base::CodePoint c = base::decode_utf8(text_.substr(at_));
      if (c.length == 0) fail_here(more() ? "invalid UTF-8" : "unexpected end");
      at_ += c.length;
      return c.value;
    }
    const char c = peek();
    at_++;
    switch (c) {
      case 'x':
        return parse_hex(2);
      case 'u':
        return parse_hex(4);
      case 'U':
        return parse_hex(8);
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'n':
        return '\n';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<uint32_t>(c);
      default:
        at_--;
        fail_here("an unknown escape");
    }
  }

  std::string parse_literal(char end) {
    std::string out;
    while (peek() != end || !more()) {
      if (!more()) fail_here("an unfinished literal");
      base::append_utf8(out, parse_character());
    }
    at_++;
    return out;
  }

  Expression parse_class() {
    const bool negated = take("^");
    std::vector<CodeRange> ranges;
    while (peek() != ']') {
      if (!more()) fail_here("a missing ']'");
      CodeRange range{};
      range.lo = range.hi = parse_character();
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        at_++;
        range.hi = parse_character();
        if (range.hi < range.lo) fail_here("a range that is out of order");
      }
      ranges.push_back(range);
    }
    at_++;
    ranges = negated ? complement(ranges) : normalize(ranges);
    if (ranges.empty()) return {.kind = ExpressionKind::never};
    return Expression::make_code_points(ranges);
  }

  /// From '{' to the '}' that closes it, strings aside.
  Expression parse_json_item() {
    skip_space(false);
    const size_t begin = at_;
    if (peek() != '{') fail_here("a schema in braces is missing after %json");
    size_t depth = 0;
    bool in_string = false;
    do {
      if (!more()) fail_at(begin, "an unfinished schema");
      const char c = text_[at_++];
      if (in_string) {
        if (c == '\\') at_++;
        in_string = c != '"';
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        depth++;
      } else if (c == '}' || c == ']') {
        depth--;
      }
    } while (depth > 0);
    if (at_ > text_.size()) fail_at(begin, "an unfinished schema");
    base::JsonLimits limits;
    limits.max_depth = limits_.max_depth * 4;
    const auto schema = base::parse_json(text_.substr(begin, at_ - begin), limits);
    if (!schema) fail_at(begin, "the schema: " + schema.error().message, schema.error().code);
    return Expression::make_call(add_json_schema(draft_, *schema, json_));
  }

  Expression parse_until() {
    skip_space(false);
    if (!take("(")) fail_here("'(' is missing after %until");
    skip_space(true);
    if (!take("\"")) fail_here("a literal is missing in %until");
    std::string text = parse_literal('"');
    skip_space(true);
    if (!take(")")) fail_here("a missing ')'");
    if (text.empty()) fail_here("%until of an empty text");
    if (text.size() > kMaxUntil) fail_limit("the bytes of %until's text", kMaxUntil);
    return {.kind = ExpressionKind::until, .text = std::move(text)};
  }

  std::string_view text_;
  size_t at_ = 0;
  Draft& draft_;
  const core::JsonSchemaOptions& json_;
  const core::GrammarLimits& limits_;
  std::map<std::string, RuleId> rules_;
  std::map<std::string, size_t> first_use_;
  std::map<RuleId, bool> defined_;
  std::deque<std::pair<RuleId, Expression>> bodies_;
  std::map<RuleId, const Expression*> short_;
};

}  // namespace

RuleId parse_gbnf(std::string_view text, Draft& draft, const core::JsonSchemaOptions& json) {
  const size_t limit = draft.budget.limits().max_source_bytes;
  if (text.size() > limit) fail_limit("the grammar's bytes", limit);
  return GbnfParser(text, draft, json).parse();
}

}  // namespace ingle::grammar
