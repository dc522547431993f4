#include "base/json.h"

#include <algorithm>

namespace ingle::base {
namespace {

// Depth of the deepest bracket outside strings; a cheap scan that bounds the DOM's recursion before it is built.
size_t bracket_depth(std::string_view text) {
  size_t depth = 0, deepest = 0;
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
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    return Error{ErrorCode::limit_exceeded, "JSON of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                                std::to_string(limits.max_bytes)};
  // The library takes a NUL for the end of the text; outside a string it is no JSON, and inside it must be escaped.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Error{ErrorCode::corrupt, "invalid JSON at byte " + std::to_string(nul)};
  if (bracket_depth(text) > limits.max_depth)
    return Error{ErrorCode::limit_exceeded, "JSON is nested deeper than " + std::to_string(limits.max_depth)};
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& e) {
    return Error{ErrorCode::corrupt, "invalid JSON at byte " + std::to_string(e.byte)};
  } catch (const nlohmann::json::exception& e) {
    return Error{ErrorCode::corrupt, std::string("invalid JSON: ") + e.what()};
  }
}

}  // namespace ingle::base
