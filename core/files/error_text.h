// Wording shared by the file parsers: names from a hostile file are quoted, bounded and free of control characters
// before they reach a person's terminal.
#pragma once

#include <string>
#include <string_view>

namespace ingle::core {

/// 'text' with invalid UTF-8 and characters that drive a terminal or reorder its line as \xNN, cut after about 100
/// bytes.
std::string quote(std::string_view text);

/// Whether quote would show every character as it is.
bool is_printable(std::string_view text);

}  // namespace ingle::core
