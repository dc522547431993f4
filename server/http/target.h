// A request's target (RFC 9112, section 3.2): its path, decoded, and its query.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingle::server {

struct Target {
  std::string path;   ///< "/v1/models/a b"; empty: the target is no path
  std::string query;  ///< as it came, without '?'
};
/// A path that holds a control character, "..", or a broken %XX is none.
Target parse_target(std::string_view target);

/// "%41" becomes "A". Nothing where it is broken.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace ingle::server
