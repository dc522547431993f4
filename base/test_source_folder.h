// Where the sources are, and tests/data below them. In a file of its own, so that no test has to be compiled anew where
// the sources lie elsewhere.
#pragma once

#include <string>

namespace ingle {

/// Without a slash at its end.
std::string source_folder();

}  // namespace ingle
