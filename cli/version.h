#pragma once

#include <string_view>

namespace ingle::cli {

/// "0.1.0"
constexpr std::string_view version_text() {
  return INGLE_VERSION;
}

}  // namespace ingle::cli
