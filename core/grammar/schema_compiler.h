// From a schema to rules. A rule stands for the values that a set of schemas allows together: a property's schema is
// one of them, the schema behind a $ref or in an allOf joins the set, and of an anyOf or oneOf each branch joins it in
// turn. Sets are remembered, so recursion ends.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/grammar/json_text.h"
#include "core/grammar/number.h"
#include "core/grammar/schema_document.h"

namespace ingle::grammar {

/// Kinds of values, as bits. A number is an integer or a fraction.
enum Kind : uint32_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kFraction = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kNumber = kInteger | kFraction,
  kAnyKind = 127
};
Kind kind_of(const base::Json& value);
/// The names of all types within these kinds.
std::vector<std::string> type_names(uint32_t kinds);
/// As JSON Schema compares: 1 and 1.0 are equal, the order of members does not matter.
bool same_value(const base::Json& a, const base::Json& b);
Decimal decimal_of(const base::Json& number);

struct StringBounds {
  uint32_t min = 0, max = kUnbounded;
  std::vector<const Automaton*> contents;  ///< of patterns and formats; all hold
};
struct ArrayBounds {
  uint64_t min = 0, max = UINT64_MAX;
  size_t prefix = 0;  ///< items that have schemas of their own
  bool open = true;   ///< whether there may be more
  bool distinct = false;
};

class SchemaCompiler {
 public:
  SchemaCompiler(Draft& draft, const base::Json& schema, const core::JsonSchemaOptions& options)
      : draft_(draft),
        budget_(draft.budget),
        document_(schema, draft.budget),
        text_(draft, options.spacing),
        options_(options) {}

  RuleId run();

 private:
  struct Job {
    NodeSet nodes;
    RuleId rule;
    uint64_t alternatives;  ///< that were chosen from on the way here
  };

  // schema_values.cpp
  RuleId value(const NodeSet& seeds, uint64_t alternatives = 1);
  void compile(const Job& job);
  void compile_choice(const Job& job, const std::vector<NodeSet>& branches);
  void compile_kinds(const Job& job, uint32_t kinds);
  bool compile_constants(const Job& job);
  std::optional<Choice> pending_choice(const NodeSet& nodes, Side side = Side::ours);
  bool impossible(const NodeSet& nodes);
  void require_progress(const NodeSet& nodes);
  std::optional<std::vector<base::Json>> constants(const NodeSet& nodes);
  bool left_out(const NodeSet& nodes, const base::Json& constant);
  uint32_t kinds_of(const NodeSet& nodes);
  uint32_t kinds_of(NodeId node);

  // schema_scalars.cpp
  RuleId string_rule(const NodeSet& nodes);
  RuleId number_rule(const NodeSet& nodes, bool integer);
  Automaton number_values(const NodeSet& nodes, const NumberRange& range);
  StringBounds string_bounds(const NodeSet& nodes);
  Automaton string_automaton(const NodeSet& nodes, const StringBounds& bounds);
  NumberRange number_range(const NodeSet& nodes, bool integer);
  void add_bound(NodeId node, const char* keyword, bool open, bool low, NumberRange& range);
  Automaton join_contents(const std::vector<const Automaton*>& contents);
  const Automaton& pattern(NodeId node, const std::string& keyword, const std::string& text);
  const Automaton* format(NodeId node);
  const Automaton* other_strings(NodeId node);

  // schema_objects.cpp, schema_arrays.cpp
  struct ObjectShape;
  struct KeyRegion;
  RuleId object_rule(const NodeSet& nodes);
  ObjectShape object_shape(const NodeSet& nodes);
  NodeSet property_schemas(const NodeSet& nodes, const std::string& name);
  std::vector<KeyRegion> other_keys(const NodeSet& nodes, const std::vector<std::string>& names);
  bool others_allowed(const NodeSet& nodes);
  Automaton unlisted_keys(const NodeSet& nodes, const std::vector<std::string>& names);
  void build_object(Nfa& nfa, const ObjectShape& shape);
  std::vector<std::string> required_names(const NodeSet& nodes);
  RuleId array_rule(const NodeSet& nodes);
  struct DistinctItems;
  void add_constant(DistinctItems& items, const base::Json& constant);
  void collect_distinct(const NodeSet& seeds, DistinctItems& items);
  void add_distinct_numbers(const NodeSet& nodes, bool integer, Nfa& nfa);
  std::optional<RuleId> distinct_rule(const NodeSet& nodes, std::optional<RuleId>& structured, uint64_t& most);
  void build_distinct(Nfa& nfa, const NodeSet& nodes, const ArrayBounds& bounds);
  ArrayBounds array_bounds(const NodeSet& nodes);
  NodeSet item_schemas(const NodeSet& nodes, size_t index);

  // schema_checks.cpp
  bool admits(NodeId node, const base::Json& value, uint32_t depth = 0);
  bool admits_choices(NodeId node, const base::Json& value, uint32_t depth);
  bool rejects(NodeId node, const base::Json& value, uint32_t depth);
  /// An answer about what a validator may take (Side::theirs), where otherwise it is about what we write.
  template <typename Ask>
  auto on_their_side(Ask ask);
  template <typename Holds>
  bool exactly_one(const std::vector<NodeId>& branches, Holds holds);
  bool admits_number(NodeId node, const base::Json& value);
  bool admits_string(NodeId node, const std::string& value);
  bool admits_array(NodeId node, const base::Json& value, uint32_t depth);
  bool admits_object(NodeId node, const base::Json& value, uint32_t depth);
  /// Each branch, with what keeps the others' values out.
  std::vector<NodeSet> keep_apart(const NodeSet& nodes, const std::vector<NodeId>& branches);
  bool keep_out(const NodeSet& nodes, NodeSet& branch, NodeId other);
  bool tell_by_property(const NodeSet& here, const NodeSet& there, NodeSet& branch);
  bool admits_all(const NodeSet& nodes, uint32_t kind);
  /// Whether no value that we would write for `a` is valid for `b`.
  bool disjoint(const NodeSet& a, const NodeSet& b, uint32_t depth);
  bool disjoint_kind(const NodeSet& a, const NodeSet& b, uint32_t kind, uint32_t depth);
  bool disjoint_strings(const NodeSet& a, const NodeSet& b);
  bool disjoint_numbers(const NodeSet& a, const NodeSet& b);
  bool disjoint_arrays(const NodeSet& a, const NodeSet& b, uint32_t depth);
  bool disjoint_objects(const NodeSet& a, const NodeSet& b, uint32_t depth);

  Draft& draft_;
  Budget& budget_;
  SchemaDocument document_;
  JsonText text_;
  const core::JsonSchemaOptions& options_;
  std::map<NodeSet, RuleId> rules_;
  std::deque<Job> jobs_;
  Side side_ = Side::ours;                     ///< what is asked about now
  bool one_of_open_ = false;                   ///< on our side
  std::map<std::string, Automaton> patterns_;  ///< by "pattern " or "format " and the text
};

}  // namespace ingle::grammar
