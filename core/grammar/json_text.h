// JSON's own grammar: white space, strings, numbers, values of any kind.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "core/grammar/expression.h"

namespace ingle::grammar {

/// Builds rules of JSON text; each is made once.
class JsonText {
 public:
  JsonText(Draft& draft, core::JsonSpacing spacing) : draft_(draft), spacing_(spacing) {}

  // From a state, over white space, to the state behind it. Empty space is always possible.
  uint32_t space_after_mark(Nfa& nfa, uint32_t from);  ///< behind ',' and ':'
  uint32_t space_inside_bracket(Nfa& nfa, uint32_t from,
                                Guard guard = Guard::none);  ///< behind '{' and '[', before '}' and ']'

  /// Any string of so many code points, with every escape that JSON has.
  RuleId string(uint32_t min = 0, uint32_t max = kUnbounded);
  /// The strings that `contents` takes, unescaped UTF-8. What need not be escaped isn't.
  RuleId string_of(const Automaton& contents);
  void add_string_of(Nfa& nfa, const Automaton& contents);  ///< the same, from the start to the end
  RuleId texts(const std::vector<std::string>& texts);      ///< one of these, as they are
  RuleId number(bool integer);
  RuleId value();
  RuleId object();
  RuleId array();

  /// JSON text of a constant, in this style.
  std::string constant(const base::Json& value) const;

 private:
  Draft& draft_;
  core::JsonSpacing spacing_;
  std::map<std::string, RuleId> made_;

  RuleId space_rule();
  template <typename Make>
  RuleId once(const std::string& name, Make make);
};

/// All strings that need no escape inside quotes: what keys of unlisted properties are made of.
Automaton plain_strings(Budget& budget);

}  // namespace ingle::grammar
