// Which chat templates were published with their models, by hash; the texts are their publishers' and not part of this
// program.
#pragma once

#include <string>
#include <string_view>

namespace ingle::store {

/// SHA-256 of a chat template, as 64 lower-case hexadecimal digits. Line ends count as LF, and white space at the end
/// for nothing: neither says anything.
std::string template_hash(std::string_view text);

/// A model that was published with that template (tests/data/template/models names it so); empty where none is known.
std::string_view publisher_of_template(std::string_view text);

}  // namespace ingle::store
