// Filters and tests: one table per file of them. To add one, write a function and a row.
#pragma once

#include <span>
#include <string_view>

#include "core/template/value.h"

namespace ingle::jinja {

/// `value` is what stands left of the bar.
using Filter = Value (*)(Interpreter&, const Value& value, const Arguments& args);
struct FilterRow {
  std::string_view name;
  Filter call;
};

using Test = bool (*)(Interpreter&, const Value& value, const Arguments& args);
struct TestRow {
  std::string_view name;
  Test call;
};

std::span<const FilterRow> text_filters();
std::span<const FilterRow> number_filters();
std::span<const FilterRow> sequence_filters();
std::span<const FilterRow> selection_filters();
std::span<const TestRow> all_tests();

const FilterRow* find_filter(std::string_view name);
const TestRow* find_test(std::string_view name);

/// range, dict, namespace, cycler, joiner, raise_exception, strftime_now; undefined for other names.
Value find_global(Interpreter& interpreter, std::string_view name);

}  // namespace ingle::jinja
