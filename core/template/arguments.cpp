// Binding call arguments to parameter names.
#include "core/template/arguments.h"

#include <algorithm>

#include "core/template/operations.h"

namespace ingle::jinja {

Bound::Bound(std::string_view function, const Arguments& args, std::initializer_list<std::string_view> names,
             size_t required, size_t keywords_from)
    : values_(names.size()) {
  const std::string title = std::string(function) + "()";
  if (args.positional.size() > names.size())
    fail(title + " takes at most " + std::to_string(names.size()) + " arguments (" +
         std::to_string(args.positional.size()) + " given)");
  for (size_t i = 0; i < args.positional.size(); ++i) values_[i] = args.positional[i];
  for (const Keyword& keyword : args.named) {
    const auto at = std::find(names.begin(), names.end(), keyword.name);
    const auto index = static_cast<size_t>(at - names.begin());
    if (at == names.end() || index < keywords_from)
      fail(title + " got an unexpected keyword argument '" + keyword.name + "'");
    if (values_[index]) fail(title + " got multiple values for argument '" + keyword.name + "'");
    values_[index] = keyword.value;
  }
  for (size_t i = 0; i < required; ++i)
    if (!values_[i]) fail(title + " misses the argument '" + std::string(names.begin()[i]) + "'");
}

int64_t Bound::int_or(size_t i, int64_t fallback) const {
  return has(i) ? expect_index(*values_[i], "the argument") : fallback;
}

bool Bound::flag(size_t i, bool fallback) const {
  return has(i) ? truthy(*values_[i]) : fallback;
}

}  // namespace ingle::jinja
