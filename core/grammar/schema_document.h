// A JSON Schema's nodes: which keywords they may have, references, the conjunctions that `allOf` and `$ref` make, and
// the choices that `anyOf` and its like leave.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "core/grammar/failure.h"

namespace ingle::grammar {

using NodeId = uint32_t;
using NodeSet = std::vector<NodeId>;  ///< schemas that all hold, in the order in which they are met, each once

/// What is asked about. `ours` is what we write for a schema: perhaps fewer values than are valid. `theirs` is what a
/// validator may take for it: perhaps more, as where it does not check `format`.
enum class Side : uint8_t { ours, theirs };

/// Schemas of which one must hold, or exactly one.
struct Choice {
  const char* keyword;
  bool exclusive;
  std::vector<NodeId> branches;
};

// Keywords of our own, in schemas that the compiler makes. No document can have them.
inline constexpr const char* kNode = "(node)";               ///< the schema of this number
inline constexpr const char* kNegated = "(negated)";         ///< what is not valid by the schema of this number
inline constexpr const char* kNotEnum = "(not enum)";        ///< anything but these constants, none of them a number
inline constexpr const char* kNotPattern = "(not pattern)";  ///< strings that don't match

/// Whether a keyword may make a value invalid, and does so by itself.
bool is_assertion(std::string_view keyword);

class SchemaDocument {
 public:
  /// `root` must live as long.
  SchemaDocument(const base::Json& root, Budget& budget);

  NodeId root() const { return 0; }
  const base::Json& json(NodeId node) const { return *nodes_[node].json; }

  /// The keyword's value, or null.
  const base::Json* find(NodeId node, const char* keyword) const;
  /// Whether the compiler made this schema.
  bool is_own(NodeId node) const { return nodes_[node].pointer.starts_with('('); }
  /// The value of a keyword of our own, or null.
  const base::Json* find_own(NodeId node, const char* keyword) const {
    return is_own(node) ? find(node, keyword) : nullptr;
  }
  /// The schema that is the keyword's value; or one inside that value, under a name or an index.
  NodeId child(NodeId node, const std::string& keyword);
  NodeId child(NodeId node, const std::string& keyword, const std::string& name, const base::Json& schema);
  /// The elements of a list of schemas, such as anyOf.
  std::vector<NodeId> branches(NodeId node, const char* keyword);

  // Schemas of our own: false; one that forbids a property, or requires it; one that allows these types.
  NodeId nothing() { return own("false", false); }
  NodeId without(const std::string& property);
  NodeId with(const std::string& property);
  NodeId only(const std::vector<std::string>& types);

  /// Adds what `$ref`, `allOf` and `not` bring in. `never` becomes true if one of the schemas is false.
  NodeSet expand(const NodeSet& seeds, bool& never, Side side = Side::ours);

  /// The schema behind `$ref`, those of `allOf`, and, on our side, what is written for `not`.
  NodeSet direct(NodeId node, Side side = Side::ours);

  /// anyOf and oneOf; on our side also `if` and the keywords of properties that depend on others.
  std::vector<Choice> choices(NodeId node, Side side = Side::ours);

  /// For each property that others depend on: either it is not there, or what depends on it holds.
  std::vector<Choice> dependencies(NodeId node);

  /// Whether only the `$ref` of this schema counts: up to draft 7, what stands beside it says nothing.
  bool is_only_reference(NodeId node) const { return old_references_ && find(node, "$ref") != nullptr; }

  // Keywords' values, checked.
  std::optional<uint32_t> count(NodeId node, const char* keyword) const;
  const base::Json* array(NodeId node, const char* keyword) const;
  const base::Json* object(NodeId node, const char* keyword) const;
  std::optional<std::string> text(NodeId node, const char* keyword) const;

  [[noreturn]] void fail_at(NodeId node, const std::string& keyword, const std::string& what,
                            base::ErrorCode code = base::ErrorCode::unsupported) const;

 private:
  struct Node {
    const base::Json* json;
    std::string pointer;
  };
  NodeId intern(const base::Json& json, std::string pointer);
  NodeId own(const std::string& name, const base::Json& schema);
  NodeId negation(NodeId node);
  base::Json negate(NodeId node);
  void negate_keyword(NodeId node, const std::string& keyword, std::vector<base::Json>& out, std::string& dropped);
  bool negate_bound(NodeId node, const std::string& keyword, std::vector<base::Json>& out);
  void check_keywords(NodeId node);
  bool has_reference(const base::Json& json);
  NodeId resolve(NodeId node, std::string_view reference);
  void visit(NodeId node, NodeSet& out, std::vector<NodeId>& active, bool& never, Side side);

  Budget& budget_;
  std::map<std::string, base::Json> own_;  ///< by name
  std::string id_;                         ///< the document's own
  bool old_references_ = false;
  std::vector<Node> nodes_;
  std::unordered_map<const base::Json*, NodeId> ids_;
};

}  // namespace ingle::grammar
