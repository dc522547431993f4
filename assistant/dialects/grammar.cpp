#include "assistant/dialects/grammar.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "assistant/dialects/json_scanner.h"

namespace ingle::assistant {
namespace {

using Symbols = std::u32string;

/// The code points of valid UTF-8; the markers are ours.
Symbols symbols(std::string_view text) {
  Symbols out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += byte;
    } else if (byte >= 0xc0) {
      out += static_cast<char32_t>(byte & (byte >= 0xf0 ? 0x07 : byte >= 0xe0 ? 0x0f : 0x1f));
    } else if (!out.empty()) {
      out.back() = (out.back() << 6) | (byte & 0x3f);
    }
  }
  return out;
}

std::string hex(uint32_t value, int digits) {
  std::string out;
  for (int i = digits - 1; i >= 0; --i) out += "0123456789ABCDEF"[(value >> (4 * i)) & 15];
  return out;
}

std::string utf8(char32_t c) {
  std::string out;
  append_utf8(out, c);
  return out;
}

/// A character of a class; everything with a meaning there is escaped.
std::string class_character(char32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_') {
    return {static_cast<char>(c)};
  }
  if (c < 0x80) return "\\x" + hex(c, 2);
  return utf8(c);
}

std::string character_class(const std::set<char32_t>& characters, bool others) {
  std::string out = others ? "[^" : "[";
  // A class of all but nothing still needs a member; NUL is no text.
  if (characters.empty()) out += "\\x00";
  for (const char32_t c : characters) out += class_character(c);
  return out + "]";
}

/// Where a search for several words stands: a state is the longest end of the text that starts one of the words (Aho
/// and Corasick, 1975).
class Search {
 public:
  explicit Search(std::span<const Symbols> words) : words_(words.begin(), words.end()) {
    states_.insert(Symbols());
    for (const Symbols& word : words_) {
      for (size_t size = 1; size <= word.size(); ++size) states_.insert(word.substr(0, size));
      alphabet_.insert(word.begin(), word.end());
    }
  }

  const std::set<Symbols>& states() const { return states_; }
  const std::set<char32_t>& alphabet() const { return alphabet_; }

  Symbols next(const Symbols& state, char32_t c) const {
    Symbols text = state + c;
    while (!states_.contains(text)) text.erase(0, 1);
    return text;
  }

  /// Whether a word ends where this state is; the longest, if several do.
  const Symbols* found(const Symbols& state) const {
    const Symbols* best = nullptr;
    for (const Symbols& word : words_) {
      if (state.ends_with(word) && (!best || best->size() < word.size())) best = &word;
    }
    return best;
  }

 private:
  std::vector<Symbols> words_;
  std::set<Symbols> states_;
  std::set<char32_t> alphabet_;
};

/// The rules of a search's states: each goes on with any text that finds none of the words.
struct Rules {
  const Search& search;
  const Symbols& goal;
  std::map<Symbols, std::string> names;
  std::string after;  ///< what follows the goal

  /// The alternatives after `text`, for every character that is not in `taken`, each with its " | " before it.
  std::string steps(const Symbols& text, const std::set<char32_t>& taken) const {
    Symbols state;
    for (const char32_t c : text) state = search.next(state, c);
    std::string body;
    // By where they lead: most characters start the search anew.
    std::map<Symbols, std::set<char32_t>> groups;
    std::set<char32_t> special = taken;
    for (const char32_t c : search.alphabet()) {
      const Symbols next = search.next(state, c);
      if (next.empty() || !special.insert(c).second) continue;
      const Symbols* found = search.found(next);
      if (!found) {
        groups[next].insert(c);
      } else if (*found == goal) {
        body += " | " + GrammarWriter::literal(utf8(c)) + " " + after;
      }
    }
    for (const auto& [next, characters] : groups) {
      body += " | " + character_class(characters, false) + " " + names.at(next);
    }
    return body + " | " + character_class(special, true) + " " + names.at({});
  }
};

}  // namespace

std::string GrammarWriter::literal(std::string_view text) {
  if (text.empty()) return {};
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x" + hex(byte, 2);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string GrammarWriter::json(const base::Json& schema) {
  return "%json" +
         (schema.empty() ? std::string("{}") : schema.dump(-1, ' ', false, base::Json::error_handler_t::replace));
}

std::string GrammarWriter::until(std::string_view text) {
  return "%until(" + literal(text) + ")";
}

std::string GrammarWriter::reserve(std::string_view stem) {
  return std::string(stem) + "-" + std::to_string(next_++);
}

void GrammarWriter::define(std::string_view name, std::string_view body) {
  text_ += std::string(name) + " ::= " + std::string(body) + "\n";
}

std::string GrammarWriter::add(std::string_view stem, std::string_view body) {
  std::string name = reserve(stem);
  define(name, body);
  return name;
}

std::string GrammarWriter::free_text(const FreeText& wanted) {
  std::vector<Symbols> words;
  for (const std::string_view word : wanted.forbidden) words.push_back(symbols(word));
  const Symbols goal = symbols(wanted.marker);
  if (!goal.empty()) words.push_back(goal);
  const Search search(words);
  Rules rules{.search = search, .goal = goal, .names = {}, .after = {}};
  for (const Symbols& state : search.states()) {
    if (!search.found(state)) rules.names[state] = reserve("text");
  }
  rules.after = std::string(wanted.then) + (wanted.repeat ? " " + rules.names[{}] : "");
  // A vocabulary may have the whole marker as one token, which only a literal of that spelling matches.
  const std::string token = goal.empty() ? "" : " | " + literal(wanted.marker) + " " + rules.after;
  for (const auto& [state, name] : rules.names) {
    define(name, "\"\"" + rules.steps(state, {}) + (state.empty() ? token : ""));
  }
  if (wanted.forbidden_start.empty()) return rules.names[{}];

  std::set<Symbols> endings, starts = {Symbols()};
  for (const std::string_view text : wanted.forbidden_start) {
    const Symbols word = symbols(text);
    endings.insert(word);
    for (size_t size = 1; size < word.size(); ++size) starts.insert(word.substr(0, size));
  }
  std::map<Symbols, std::string> names;
  for (const Symbols& start : starts) names[start] = reserve("start");
  for (const auto& [start, name] : names) {
    std::set<char32_t> taken = {' ', '\t', '\r', '\n'};
    std::string body = "\"\" | " + character_class(taken, false) + " " + name;
    for (const Symbols& ending : endings) {
      if (ending.size() == start.size() + 1 && ending.starts_with(start)) taken.insert(ending.back());
    }
    for (const Symbols& longer : starts) {
      if (longer.size() != start.size() + 1 || !longer.starts_with(start)) continue;
      if (taken.insert(longer.back()).second) body += " | " + literal(utf8(longer.back())) + " " + names[longer];
    }
    define(name, body + rules.steps(start, taken) + (start.empty() ? token : ""));
  }
  return names[{}];
}

std::string GrammarWriter::list(std::span<const ListItem> items, std::string_view separator) {
  // From the last one back: what may come where an item stands before it, and where none does.
  std::string later, first;
  for (size_t left = items.size(); left > 0; --left) {
    const ListItem& item = items[left - 1];
    const std::string here = add("item", item.expression + (later.empty() ? "" : " " + later));
    const std::string next = literal(separator) + " " + here;
    first = item.needed || first.empty() ? here + (item.needed ? "" : " | \"\"") : here + " | " + first;
    first = add("first", first);
    later = add("later", item.needed ? next : next + " | " + (later.empty() ? "\"\"" : later));
  }
  return first.empty() ? "\"\"" : first;
}

bool is_required(const base::Json& schema, std::string_view property) {
  const auto required = schema.find("required");
  return required != schema.end() && required->is_array() &&
         std::ranges::find(*required, base::Json(property)) != required->end();
}

std::string json_call(const Tool& tool, std::string_view key) {
  return GrammarWriter::literal("{\"name\": \"" + tool.name + "\", \"" + std::string(key) + "\": ") + " " +
         GrammarWriter::json(tool.parameters) + " " + GrammarWriter::literal("}");
}

std::string any_of(std::span<const std::string> alternatives) {
  std::string out;
  for (const std::string& one : alternatives) out += (out.empty() ? "( " : " | ") + one;
  return out + " )";
}

}  // namespace ingle::assistant
