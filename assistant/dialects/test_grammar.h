// A recogniser of the grammars that the dialects write, for tests: GBNF with %json and %until, by trying everything.
#pragma once

#include <string>
#include <string_view>

namespace ingle::assistant {

/// Whether the root rule of `grammar` matches the whole text. A grammar that is malformed fails the test.
bool grammar_matches(const std::string& grammar, std::string_view text);

}  // namespace ingle::assistant
