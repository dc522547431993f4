// Writes grammars in GBNF: the pieces that dialects share.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "assistant/dialects/tools.h"
#include "base/json.h"

namespace ingle::assistant {

struct ListItem {
  std::string expression;
  bool needed = true;
};

class GrammarWriter {
 public:
  /// `text` as a literal; empty text gives nothing. Whatever it holds, it stays one literal.
  static std::string literal(std::string_view text);
  static std::string json(const base::Json& schema);
  static std::string until(std::string_view text);

  /// Adds a rule; returns its name, a new one that starts with `stem`.
  std::string add(std::string_view stem, std::string_view body);
  /// Takes a name for a rule whose body comes later.
  std::string reserve(std::string_view stem);
  void define(std::string_view name, std::string_view body);

  struct FreeText {
    std::span<const std::string_view> forbidden;        ///< stand nowhere in it
    std::span<const std::string_view> forbidden_start;  ///< don't start it; space in them or before counts for nothing
    std::string_view marker;                            ///< ends the text; empty: the text has no such end
    std::string_view then;                              ///< the rule of what follows the marker
    bool repeat = false;                                ///< after that comes more of the same
  };
  /// A rule for such text.
  std::string free_text(const FreeText& wanted);

  /// An expression for items in this order with the separator between them, those that aren't needed left out or not.
  std::string list(std::span<const ListItem> items, std::string_view separator);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  size_t next_ = 0;
};

/// Whether the schema of an object requires a property.
bool is_required(const base::Json& schema, std::string_view property);

/// The expression of one call as JSON, {"name": …, KEY: arguments}.
std::string json_call(const Tool& tool, std::string_view key);

/// One expression for a list of alternatives; each alternative an expression.
std::string any_of(std::span<const std::string> alternatives);

}  // namespace ingle::assistant
