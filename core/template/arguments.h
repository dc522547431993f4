// Binding call arguments to parameter names, with Python's errors.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "core/template/value.h"

namespace ingle::jinja {

class Bound {
 public:
  /// `names`: the parameters in order; the first `required` must be given; those from `keywords_from` on may be given
  /// by name. Fails on a missing, surplus, doubled or unknown argument.
  Bound(std::string_view function, const Arguments& args, std::initializer_list<std::string_view> names,
        size_t required, size_t keywords_from = 0);

  bool has(size_t i) const { return values_[i].has_value(); }
  /// Given and not None.
  bool given(size_t i) const { return has(i) && !values_[i]->is_none(); }
  const Value& operator[](size_t i) const { return *values_[i]; }
  Value value_or(size_t i, const Value& fallback) const { return has(i) ? *values_[i] : fallback; }
  int64_t int_or(size_t i, int64_t fallback) const;
  bool flag(size_t i, bool fallback = false) const;

 private:
  std::vector<std::optional<Value>> values_;
};

}  // namespace ingle::jinja
