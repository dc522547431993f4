// Methods and attributes of the built-in types. One table per type; to add a method, write a row.
#pragma once

#include <span>
#include <string_view>

#include "core/template/value.h"

namespace ingle::jinja {

using Method = Value (*)(Heap&, const Value& self, const Arguments&);

struct MethodRow {
  std::string_view name;
  Method call;
};

/// str methods in two tables: those that cut and search, those that ask and transform.
std::span<const MethodRow> text_search_methods();
std::span<const MethodRow> text_transform_methods();

/// The method `name` of the type of `self`, or nullptr. Methods that change a list or dict are left out: the sandbox
/// forbids them.
Method find_method(const Value& self, std::string_view name);

/// str.replace on plain text; a negative limit replaces all.
std::string replace_text(Heap& heap, std::string_view text, std::string_view old, std::string_view fresh,
                         int64_t limit);

}  // namespace ingle::jinja
