// Base64 (RFC 4648, section 4), with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingle::base {

std::string to_base64(std::string_view bytes);

/// Nothing: it is none. White space is skipped; padding may be missing.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace ingle::base
