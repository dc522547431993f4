// The text of store/catalogue.json, compiled in (the build writes the definition).
#pragma once

#include <string_view>

namespace ingle::store {

std::string_view builtin_catalogue_json();

}  // namespace ingle::store
