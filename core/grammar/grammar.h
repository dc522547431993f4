// A grammar: what a reply may look like, compiled from GBNF, a regular expression or a JSON Schema. Immutable; share it
// between threads. `Matcher` (matcher.h) follows one through a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ingle::grammar {
struct Program;
}

namespace ingle::core {

/// Bounds of one compilation. The defaults let a schema of a megabyte through and stop after about a second.
struct GrammarLimits {
  size_t max_source_bytes = size_t{4} << 20;
  uint32_t max_depth = 128;              ///< nesting of groups in a pattern or grammar, of values in a schema
  uint32_t max_rules = 100'000;          ///< rules, and places of a schema that become one
  uint64_t max_states = 1'000'000;       ///< of all automata together; about 40 bytes each
  uint64_t max_work = 50'000'000;        ///< steps of compiling; some ten nanoseconds each
  uint32_t max_pattern_states = 20'000;  ///< of the automaton of one pattern, format or number
  uint32_t max_repeat = 1'000'000'000;   ///< of a count in {m,n}
  uint32_t max_alternatives = 1'000;     ///< that anyOf and oneOf leave of one value
  /// Readings of one text that the matcher follows at a time. Beyond it the later ones are given up: fewer texts are
  /// then allowed, never wrong ones.
  uint32_t max_parallel = 2'000;
};

/// White space between the parts of JSON. All styles are bounded: no reply can go on in spaces for ever.
enum class JsonSpacing : uint8_t {
  compact,  ///< none
  spaced,   ///< an optional space after ',' and ':'
  indented  ///< also an optional line feed and up to 40 spaces, or one space, wherever JSON allows it
};

struct JsonSchemaOptions {
  JsonSpacing spacing = JsonSpacing::spaced;
  /// Whether an object whose schema lists properties, but says nothing of others, may have others. JSON Schema allows
  /// them; a model that is asked for three fields should give three.
  bool open_objects = false;
};

class Grammar {
 public:
  /// GBNF as llama.cpp documents it (grammars/README.md there), starting at the rule `root`; and, as items of our own:
  /// `%json{…}`, a JSON value of that schema; `%until("text")`, any text up to and including the first "text".
  /// Where a literal or the text of %until spells a control token, the token is accepted as well as its spelling.
  /// Errors: invalid_argument (with the line), unsupported, limit_exceeded.
  static base::Result<Grammar> compile_gbnf(std::string_view text, const GrammarLimits& limits = {},
                                            const JsonSchemaOptions& json = {});

  /// The whole text must match. The syntax is ECMAScript's, without look-around, back-references, \b and \p.
  /// Errors: invalid_argument (with the byte), unsupported, limit_exceeded.
  static base::Result<Grammar> compile_regex(std::string_view pattern, const GrammarLimits& limits = {});

  /// JSON text of a value that `schema` (draft 2020-12, and what older drafts say otherwise without contradiction)
  /// accepts. A keyword that can't be kept is an error, never ignored; README.md lists those that are kept.
  /// Errors: unsupported and invalid_argument (with the keyword and its JSON pointer), limit_exceeded.
  static base::Result<Grammar> compile_json_schema(const base::Json& schema, const JsonSchemaOptions& options = {},
                                                   const GrammarLimits& limits = {});

  /// Any JSON object.
  static base::Result<Grammar> compile_json_object(const JsonSchemaOptions& options = {});

  uint64_t memory_bytes() const;

  /// For the matcher.
  const std::shared_ptr<const grammar::Program>& program() const { return program_; }

 private:
  explicit Grammar(std::shared_ptr<const grammar::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const grammar::Program> program_;
};

}  // namespace ingle::core
