#include "base/json.h"

#include <algorithm>
#include <vector>

namespace ingle::base {
namespace {

// What a text would build, found by a cheap scan before the DOM is built.
struct Shape {
  size_t depth = 0;    ///< of the deepest bracket
  size_t members = 0;  ///< of the fullest object
};

Shape measure(std::string_view text) {
  Shape shape;
  std::vector<size_t> colons;  // per open bracket; only objects have any
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      colons.push_back(0);
      shape.depth = std::max(shape.depth, colons.size());
    } else if (c == ':' && !colons.empty()) {
      shape.members = std::max(shape.members, ++colons.back());
    } else if ((c == '}' || c == ']') && !colons.empty()) {
      colons.pop_back();
    }
  }
  return shape;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    return Error{ErrorCode::limit_exceeded, "JSON of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                                std::to_string(limits.max_bytes)};
  // The library takes a NUL for the end of the text; outside a string it is no JSON, and inside it must be escaped.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Error{ErrorCode::corrupt, "invalid JSON at byte " + std::to_string(nul)};
  const Shape shape = measure(text);
  if (shape.depth > limits.max_depth)
    return Error{ErrorCode::limit_exceeded, "JSON is nested deeper than " + std::to_string(limits.max_depth)};
  if (shape.members > limits.max_members)
    return Error{ErrorCode::limit_exceeded,
                 "a JSON object has more than " + std::to_string(limits.max_members) + " members"};
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& e) {
    return Error{ErrorCode::corrupt, "invalid JSON at byte " + std::to_string(e.byte)};
  } catch (const nlohmann::json::exception& e) {
    return Error{ErrorCode::corrupt, std::string("invalid JSON: ") + e.what()};
  }
}

}  // namespace ingle::base
