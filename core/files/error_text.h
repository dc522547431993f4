// Wording shared by the file parsers: names from a hostile file are quoted, bounded and free of control characters
// before they reach a person's terminal.
#pragma once

#include <string>
#include <string_view>

namespace ingle::core {

/// 'text' with control characters and invalid UTF-8 as \xNN, cut after about 100 bytes.
std::string quote(std::string_view text);

}  // namespace ingle::core
