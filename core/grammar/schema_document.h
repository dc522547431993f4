// A JSON Schema's nodes: which keywords they may have, references, and the conjunctions that `allOf` and `$ref` make.
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

class SchemaDocument {
 public:
  /// `root` must live as long.
  SchemaDocument(const base::Json& root, Budget& budget);

  NodeId root() const { return 0; }
  const base::Json& json(NodeId node) const { return *nodes_[node].json; }

  /// The keyword's value, or null.
  const base::Json* find(NodeId node, const char* keyword) const;
  /// The schema that is the keyword's value; or one inside that value, under a name or an index.
  NodeId child(NodeId node, const std::string& keyword);
  NodeId child(NodeId node, const std::string& keyword, const std::string& name, const base::Json& schema);
  /// The elements of a list of schemas, such as anyOf.
  std::vector<NodeId> branches(NodeId node, const char* keyword);

  // Schemas of our own: false; one that forbids a property; one that allows these types.
  NodeId nothing() { return own("false", false); }
  NodeId without(const std::string& property);
  NodeId only(const std::vector<std::string>& types);

  /// Adds what `$ref` and `allOf` bring in. `never` becomes true if one of the schemas is false.
  NodeSet expand(const NodeSet& seeds, bool& never);

  /// The schema behind `$ref` and those of `allOf`.
  NodeSet direct(NodeId node);

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
  void check_keywords(NodeId node);
  bool has_reference(const base::Json& json);
  NodeId resolve(NodeId node, std::string_view reference);
  void visit(NodeId node, NodeSet& out, std::vector<NodeId>& active, bool& never);

  Budget& budget_;
  std::map<std::string, base::Json> own_;  ///< by name
  std::string id_;                         ///< the document's own
  std::vector<Node> nodes_;
  std::unordered_map<const base::Json*, NodeId> ids_;
};

}  // namespace ingle::grammar
