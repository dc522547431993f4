#include "store/known_templates.h"

#include <algorithm>
#include <iterator>

#include "store/known_templates_table.h"
#include "store/system.h"

namespace ingle::store {

std::string template_hash(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') plain += text[i];
  plain.erase(plain.find_last_not_of(" \t\n") + 1);
  return sha256_text(plain);
}

std::string_view publisher_of_template(std::string_view text) {
  const std::string hash = template_hash(text);
  const auto row = std::ranges::lower_bound(known_templates, hash, {}, &KnownTemplate::sha256);
  return row != std::end(known_templates) && row->sha256 == hash ? row->name : std::string_view();
}

}  // namespace ingle::store
