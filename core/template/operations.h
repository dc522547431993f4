// Python's operations on values: truth, equality, order, arithmetic, str() and repr(), iteration, subscripts.
// All of them fail (Failure) where Python raises; what touches many items or bytes counts steps on the heap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/template/value.h"

namespace ingle::jinja {

/// Nesting of a value up to which repr, ==, hashing and tojson follow it.
inline constexpr int kMaxValueDepth = 400;

std::string_view type_name(const Value& value);  ///< Python's name: "str", "NoneType"
[[noreturn]] void fail_undefined(const Value& value);

bool truthy(const Value& value);
bool equals(const Value& a, const Value& b, int depth = 0);
/// <0, 0, >0 for a total order of two comparable values; `op` names the operator in the error. Unordered (NaN): 2.
int compare(const Value& a, const Value& b, std::string_view op = "<", int depth = 0);
/// a < b, as sorting asks it.
inline bool less(const Value& a, const Value& b) {
  return compare(a, b) == -1;
}
bool contains(Heap& heap, const Value& container, const Value& item);

enum class Arithmetic : uint8_t { add, subtract, multiply, divide, floor_divide, modulo, power };
Value arithmetic(Heap& heap, Arithmetic op, const Value& a, const Value& b);
Value negate(const Value& value);
Value plus(const Value& value);

/// str(value), appended. Markup is not escaped.
void append_text(Heap& heap, std::string& out, const Value& value);
void append_repr(Heap& heap, std::string& out, const Value& value, int depth = 0);
std::string to_text(Heap& heap, const Value& value);
std::string repr(Heap& heap, const Value& value);
std::string format_real(double value);  ///< repr of a float

/// iter(value); fails for what cannot be iterated.
Next iterate(Heap& heap, const Value& value);
bool iterable(const Value& value);
Values to_values(Heap& heap, const Value& value);
/// reversed(value); an empty function where the type cannot be reversed.
Next iterate_reversed(Heap& heap, const Value& value);
/// len(value), or -1 where it has none.
int64_t length_or_none(const Value& value);
int64_t length(const Value& value);

/// value[key] as environment.getitem does: undefined where absent.
Value get_item(Heap& heap, const Value& value, const Value& key);
/// value.name as environment.getattr does.
Value get_attribute(Heap& heap, const Value& value, std::string_view name);
/// Only the attribute, never the item. False where the type has none of that name.
bool find_attribute(Heap& heap, const Value& value, std::string_view name, Value& out);
/// value[start:stop:step]; none or undefined-by-omission bounds are passed as none.
Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop, const Value& step);
Value char_at(Heap& heap, const Text& text, size_t index);

/// Resolves an index of Python's index protocol (int or bool).
int64_t expect_index(const Value& value, std::string_view what);
const std::string& expect_text(const Value& value, std::string_view what);
std::string escape_html(std::string_view text);
/// Appends with a bound, so that no string grows past what the heap may hold.
void check_growth(Heap& heap, size_t size);
/// Before `added` bytes are appended to `out`.
void grow(Heap& heap, const std::string& out, size_t added);

}  // namespace ingle::jinja
