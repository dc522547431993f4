// The tools of a request, checked: their names go into grammars and are looked up in what a model writes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ingle::assistant {

struct Tool {
  std::string name;
  base::Json parameters;  ///< a JSON schema of type object; its "properties" is an object
};

class Tools {
 public:
  static constexpr size_t max_tools = 512;

  Tools() = default;

  /// `tools` is OpenAI's array, [{"type": "function", "function": {"name": …, "parameters": …}}, …], the inner objects
  /// alone, or null for none. A tool without parameters takes none.
  /// Errors: invalid_argument (another shape, a name other than [A-Za-z0-9_.-]{1,64}, one twice), limit_exceeded.
  static base::Result<Tools> parse(const base::Json& tools);

  /// The tool of that name, or null.
  const Tool* find(std::string_view name) const;

  std::span<const Tool> all() const { return tools_; }
  bool empty() const { return tools_.empty(); }

 private:
  std::vector<Tool> tools_;
};

/// The schema of one parameter with the definitions it may refer to ("$defs", "definitions"), or an empty schema where
/// the tool says nothing of it.
base::Json parameter_schema(const Tool& tool, std::string_view parameter);

/// Whether a value of `schema` may be of that JSON type ("string", "integer", …). An empty schema allows every type.
bool schema_allows(const base::Json& schema, std::string_view type);

}  // namespace ingle::assistant
