// RFC 8259.
#include "core/grammar/json_text.h"

#include "core/grammar/number.h"

namespace ingle::grammar {

namespace {

constexpr uint32_t kMostIndent = 40;

const std::vector<CodeRange>& unescaped() {
  static const std::vector<CodeRange> ranges = {{0x20, 0x21}, {0x23, 0x5b}, {0x5d, 0x10ffff}};
  return ranges;
}

uint32_t add_hex(Nfa& nfa, uint32_t from, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const uint32_t next = nfa.add_state();
    nfa.add_range(from, '0', '9', next);
    nfa.add_range(from, 'a', 'f', next);
    nfa.add_range(from, 'A', 'F', next);
    from = next;
  }
  return from;
}

void add_letters(Nfa& nfa, uint32_t from, std::string_view letters, uint32_t to) {
  for (const char c : letters) nfa.add_range(from, static_cast<uint8_t>(c), static_cast<uint8_t>(c), to);
}

/// After a backslash: an escape of one code point, which is a pair of \u for one beyond 16 bits.
void add_escapes(Nfa& nfa, uint32_t from, uint32_t to) {
  add_letters(nfa, from, "\"\\/bfnrt", to);
  const uint32_t hex = nfa.add_text(from, "u");
  const uint32_t plain = nfa.add_state(), d = nfa.add_state(), low = nfa.add_state(), high = nfa.add_state();
  add_letters(nfa, hex, "0123456789abcefABCEF", plain);
  nfa.add_empty(add_hex(nfa, plain, 3), to);
  add_letters(nfa, hex, "dD", d);
  add_letters(nfa, d, "01234567", low);
  nfa.add_empty(add_hex(nfa, low, 2), to);
  add_letters(nfa, d, "89abAB", high);
  const uint32_t second = nfa.add_text(add_hex(nfa, high, 2), "\\u");
  const uint32_t second_d = nfa.add_state(), second_low = nfa.add_state();
  add_letters(nfa, second, "dD", second_d);
  add_letters(nfa, second_d, "cdefCDEF", second_low);
  nfa.add_empty(add_hex(nfa, second_low, 2), to);
}

}  // namespace

template <typename Make>
RuleId JsonText::once(const std::string& name, Make make) {
  const auto [it, added] = made_.try_emplace(name, 0);
  if (!added) return it->second;
  const RuleId rule = draft_.add_rule("JSON " + name);
  it->second = rule;
  Nfa nfa(draft_.budget);
  make(nfa);
  draft_.define(rule, nfa);
  return rule;
}

RuleId JsonText::space_rule() {
  return once("space", [](Nfa& nfa) {
    nfa.add_text_to(nfa.start, " ", nfa.end);
    uint32_t at = nfa.add_text(nfa.start, "\n");
    for (uint32_t i = 0; i < kMostIndent; i++) {
      nfa.add_empty(at, nfa.end);
      at = nfa.add_text(at, " ");
    }
    nfa.add_empty(at, nfa.end);
  });
}

uint32_t JsonText::space_after_mark(Nfa& nfa, uint32_t from) {
  if (spacing_ == core::JsonSpacing::indented) return space_inside_bracket(nfa, from);
  if (spacing_ == core::JsonSpacing::compact) return from;
  const uint32_t next = nfa.add_text(from, " ");
  nfa.add_empty(from, next);
  return next;
}

uint32_t JsonText::space_inside_bracket(Nfa& nfa, uint32_t from, Guard guard) {
  if (spacing_ != core::JsonSpacing::indented) return from;
  const uint32_t next = nfa.add_state();
  nfa.add_call(from, space_rule(), next, guard);
  nfa.add_empty(from, next);
  return next;
}

RuleId JsonText::string(uint32_t min, uint32_t max) {
  return once("string " + std::to_string(min) + " " + std::to_string(max), [&](Nfa& nfa) {
    const bool counted = min > 0 || max != kUnbounded;
    const uint32_t inside = nfa.add_text(nfa.start, "\""), escape = nfa.add_state();
    const Guard enter = counted ? Guard::enter : Guard::none;
    add_code_points(nfa, inside, unescaped(), inside, enter);
    nfa.add_range(inside, '\\', '\\', escape, enter);
    add_escapes(nfa, escape, inside);
    nfa.add_range(inside, '"', '"', nfa.end, counted ? Guard::leave : Guard::none);
    nfa.count_min = min, nfa.count_max = max;
  });
}

namespace {

/// How JSON writes a byte that it can't have in a string; what comes after the backslash.
std::string escape_of(unsigned byte) {
  switch (byte) {
    case '"':
      return "\"";
    case '\\':
      return "\\";
    case '\b':
      return "b";
    case '\f':
      return "f";
    case '\n':
      return "n";
    case '\r':
      return "r";
    case '\t':
      return "t";
    default:
      break;
  }
  constexpr const char* kDigits = "0123456789abcdef";
  return std::string("u00") + kDigits[byte >> 4] + kDigits[byte & 15];
}

void add_quoted_edge(Nfa& nfa, uint32_t from, uint32_t escape, const Edge& edge, uint32_t target) {
  uint32_t begin = edge.lo;
  const auto flush = [&](uint32_t end) {
    if (begin < end) nfa.add_range(from, static_cast<uint8_t>(begin), static_cast<uint8_t>(end - 1), target);
    begin = end + 1;
  };
  for (uint32_t byte = edge.lo; byte <= edge.hi; byte++) {
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    flush(byte);
    nfa.add_text_to(escape, escape_of(byte), target);
  }
  flush(edge.hi + 1u);
}

}  // namespace

RuleId JsonText::string_of(const Automaton& contents) {
  const RuleId rule = draft_.add_rule("JSON string");
  Nfa nfa(draft_.budget);
  add_string_of(nfa, contents);
  draft_.define(rule, nfa);
  return rule;
}

void JsonText::add_string_of(Nfa& nfa, const Automaton& contents) {
  const auto count = static_cast<uint32_t>(contents.states.size());
  const uint32_t inside = nfa.add_text(nfa.start, "\"");
  const auto base = static_cast<uint32_t>(nfa.states.size());
  for (uint32_t i = 0; i < count; i++) nfa.add_state();
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t escape = nfa.add_text(base + i, "\\");
    for (const Edge& edge : contents.states[i].edges) {
      draft_.budget.spend(1);
      add_quoted_edge(nfa, base + i, escape, edge, base + edge.target);
    }
    if (contents.states[i].final) nfa.add_range(base + i, '"', '"', nfa.end);
  }
  if (count > 0) nfa.add_empty(inside, base);
}

RuleId JsonText::texts(const std::vector<std::string>& texts) {
  const RuleId rule = draft_.add_rule("JSON constant");
  Nfa nfa(draft_.budget);
  for (const std::string& text : texts) nfa.add_text_to(nfa.start, text, nfa.end);
  draft_.define(rule, nfa);
  return rule;
}

RuleId JsonText::number(bool integer) {
  const std::string name = integer ? "integer" : "number";
  const auto [it, added] = made_.try_emplace(name, 0);
  if (!added) return it->second;
  it->second = draft_.add_rule("JSON " + name);
  NumberRange range;
  range.integer = integer;
  draft_.define(it->second, number_automaton(range, draft_.budget));
  return it->second;
}

RuleId JsonText::value() {
  return once("value", [&](Nfa& nfa) {
    for (const RuleId rule : {object(), array(), string(), number(false)}) nfa.add_call(nfa.start, rule, nfa.end);
    for (const std::string_view text : {"true", "false", "null"}) nfa.add_text_to(nfa.start, text, nfa.end);
  });
}

RuleId JsonText::object() {
  return once("object", [&](Nfa& nfa) {
    const uint32_t open = space_inside_bracket(nfa, nfa.add_text(nfa.start, "{"));
    nfa.add_text_to(open, "}", nfa.end);
    const uint32_t key = nfa.add_state(), colon = nfa.add_state(), after = nfa.add_state();
    nfa.add_empty(open, key);
    nfa.add_call(key, string(), colon);
    nfa.add_call(space_after_mark(nfa, nfa.add_text(colon, ":")), value(), after);
    nfa.add_empty(space_after_mark(nfa, nfa.add_text(after, ",")), key);
    nfa.add_text_to(space_inside_bracket(nfa, after), "}", nfa.end);
  });
}

RuleId JsonText::array() {
  return once("array", [&](Nfa& nfa) {
    const uint32_t open = space_inside_bracket(nfa, nfa.add_text(nfa.start, "["));
    nfa.add_text_to(open, "]", nfa.end);
    const uint32_t item = nfa.add_state(), after = nfa.add_state();
    nfa.add_empty(open, item);
    nfa.add_call(item, value(), after);
    nfa.add_empty(space_after_mark(nfa, nfa.add_text(after, ",")), item);
    nfa.add_text_to(space_inside_bracket(nfa, after), "]", nfa.end);
  });
}

std::string JsonText::constant(const base::Json& value) const {
  if (!value.is_structured()) return value.dump();
  const std::string comma = spacing_ == core::JsonSpacing::compact ? "," : ", ";
  std::string out(1, value.is_object() ? '{' : '[');
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) out += comma;
    first = false;
    if (value.is_object()) out += base::Json(item.key()).dump() + (comma.size() == 1 ? ":" : ": ");
    out += constant(item.value());
  }
  out += value.is_object() ? '}' : ']';
  return out;
}

Automaton plain_strings(Budget& budget) {
  return pattern_automaton(Expression::make_repeat(Expression::make_code_points(unescaped()), 0, kUnbounded), budget);
}

}  // namespace ingle::grammar
