// jinja2.filters.make_attrgetter: "address.city", "0.name", 3.
#pragma once

#include <string>
#include <vector>

#include "core/template/value.h"

namespace ingle::jinja {

class AttributePath {
 public:
  /// `attribute`: none for the item itself, an int, or a dotted path whose digits are indices.
  AttributePath(Heap& heap, const Value& attribute, bool lower_case = false);
  /// The same, where a comma separates several paths: get() then makes a list.
  static std::vector<AttributePath> several(Heap& heap, const Value& attribute, bool lower_case);

  void set_default(Value fallback) { fallback_ = std::move(fallback); }
  Value get(Heap& heap, Value item) const;

 private:
  std::vector<Value> parts_;
  bool lower_case_;
  Value fallback_;  // undefined: none
};

}  // namespace ingle::jinja
